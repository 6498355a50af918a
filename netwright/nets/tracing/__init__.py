"""From a person's own ``nn.Module`` to an expression of layers: follow its forward pass, map each operator, put holes."""
