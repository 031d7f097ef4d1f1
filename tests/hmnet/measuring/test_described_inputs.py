"""What stored states are found by, of inputs as encoders and families' own classes take them."""

import torch

from hmnet.measuring.lower_states import described, keys_of


def test_inputs_for_multiple_choice_are_found_by_the_keys_of_single_ones() -> None:
    single = {
        "input_ids": torch.tensor([[2, 7, 3, 0], [2, 8, 9, 3]]),
        "attention_mask": torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]]),
        "token_type_ids": torch.tensor([[0, 0, 0, 0], [0, 0, 1, 1]]),
    }
    nested = {name: values.unsqueeze(1) for name, values in single.items()}
    assert keys_of(*described(nested)) == keys_of(*described(single))
