"""`report.html` and `MODEL_CARD.md` of a run, from its `result.json` alone."""
