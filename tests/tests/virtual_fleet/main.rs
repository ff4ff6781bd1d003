//! Virtual machines with kernels, boot loaders and disks of their own, in `make soak` alone: elsewhere the run says
//! `left out: virtual machines` and why.

#![cfg(test)]

mod kernels;
mod operated;
mod power;
