"""The native stream on GPUs, by Triton kernels; with `TRITON_INTERPRET=1` on CPUs, one instruction at a time."""
