"""`report.html` and `MODEL_CARD.md` of a run, written from its `result.json`."""
