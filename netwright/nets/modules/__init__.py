"""The torch side of each layer: one file of the same name, with ``build(inputs, attrs)``.

Classes here also appear in exported ``model.py`` files as they stand, so they may use ``torch``, ``nn`` and ``F`` only.
"""
