"""One thread for tensors as small as those of the tests."""

import torch

torch.set_num_threads(1)
