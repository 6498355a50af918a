"""Tasks: what a person brings, split in three with the test sealed, and fed to training as whole batches of tensors."""
