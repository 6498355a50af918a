"""What the strategy over Optuna needs of the package itself: that it is there, that it is quiet, a storage that forgets."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import logging
import warnings
from collections.abc import Iterator
from typing import Any

from netwright.errors import RecipeError
from netwright.registry import plain

__all__ = ["loaded", "options_of", "quiet", "storage"]


def loaded(sampler: str) -> Any:
    """Optuna, if what the sampler needs is there."""
    for package in ("optuna", *(["cmaes"] if sampler == "cmaes" else [])):
        if importlib.util.find_spec(package) is None:
            what = f"strategy optuna needs the package {package}, which is not installed"
            raise RecipeError(what, todo="Install it with: pip install 'netwright[optuna]'")
    optuna = importlib.import_module("optuna")
    if int(optuna.__version__.split(".")[0]) < 5:
        what = f"strategy optuna needs Optuna 5 or later, this is {optuna.__version__}"
        raise RecipeError(what, todo="Install it with: pip install 'netwright[optuna]'")
    return optuna


def storage(optuna: Any) -> Any:
    class Memory(optuna.storages.InMemoryStorage):  # type: ignore[misc]
        """Takes trials as they are, and forgets what was only asked, or is still under way: the study holds what ended."""

        def create_new_trial(self, study_id: int, template_trial: Any = None) -> int:
            number: int = super().create_new_trial(study_id)
            if template_trial is not None:  # without copying it
                template_trial.number = template_trial._trial_id = number
                self._set_trial(number, template_trial)
            return number

        def forget(self, length: int) -> None:
            """All trials but the first ones."""
            for study in self._studies.values():
                for trial in study.trials[length:]:
                    del self._trial_id_to_study_id_and_number[trial._trial_id]
                del study.trials[length:]
            self._max_trial_id = length - 1

    return Memory()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Optuna neither logs nor warns; afterwards it does as before."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def options_of(made: Any, sampler: str, text: str) -> dict[str, Any]:
    """``"n_ei_candidates=48 group=true"`` as arguments. Raises :class:`RecipeError` for one that the sampler has not."""
    parameters = inspect.signature(made).parameters
    known = [name for name in parameters if name not in ("seed", "constraints_func")]
    found = {}
    for piece in text.split():
        name, equals, value = piece.partition("=")
        if name not in known or not equals:
            what = f"sampler {sampler} has no option {piece!r}"
            raise RecipeError(what, where="strategy optuna", todo=f"Write name=value, with one of {', '.join(known)}.")
        found[name] = plain(value)
        usual = parameters[name].default
        kinds = {bool: (bool,), int: (int,), float: (int, float)}.get(type(usual))
        if kinds and type(found[name]) not in kinds:
            what = f"sampler {sampler}: {name} cannot be {value!r}"
            raise RecipeError(what, where="strategy optuna", todo=f"Write {name}={usual}, say.")
    return found
