"""What a person is shown of a run: facts read from its log, figures, drawings, and one page that holds them."""
