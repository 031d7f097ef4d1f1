"""Files and folders that are whole or not there, read strictly and refused where damaged."""
