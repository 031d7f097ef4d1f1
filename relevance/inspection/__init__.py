"""What files of tasks hold, told before anything is trained on them."""
