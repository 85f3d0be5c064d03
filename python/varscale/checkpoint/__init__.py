"""Checkpoints: first weights as safetensors files, which may be larger than memory."""

from ._save import finish, save

__all__ = ["finish", "save"]

for _function in (finish, save):
    _function.__module__ = __name__  # errors and help name what users import
