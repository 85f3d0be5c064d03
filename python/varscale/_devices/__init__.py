"""Devices: the native stream's values, made where the memory is, with the bits that the core makes."""
