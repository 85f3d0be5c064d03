"""Forked DataLoader workers: they have none of their parent's threads."""

from __future__ import annotations

import hashlib

import pytest
from torch.utils.data import DataLoader, Dataset

import varscale as vs


class Weights(Dataset[str]):
    """Item i is the digest of a tensor that takes several threads to make."""

    def __len__(self) -> int:
        return 32

    def __getitem__(self, index: int) -> str:
        return digest(index)


def digest(index: int) -> str:
    return hashlib.sha256(vs.lecun_normal(7).fold_in(index)((700, 300)).tobytes()).hexdigest()


@pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes")
def test_four_forked_workers_after_use() -> None:
    """If this fails a training script that initialised its model hangs when its first worker starts."""
    with vs.num_threads(2):
        expected = [digest(index) for index in range(32)]
        loader = DataLoader(
            Weights(), batch_size=4, num_workers=4, multiprocessing_context="fork", collate_fn=list, timeout=60
        )
        for _ in range(3):
            assert [item for batch in loader for item in batch] == expected
