"""Running a model: one thread owns it; plans go before text; both go on from one reading of a frame."""

from __future__ import annotations

from simlingo.model.engine.engine import Engine, Reading
from simlingo.model.engine.speech import Speech, SpeechCancelledError

__all__ = ["Engine", "Reading", "Speech", "SpeechCancelledError"]
