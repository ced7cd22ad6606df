"""Render every table and plot in the documents again from the JSON files in docs/.

python -m benchmarks.tables

Nothing is measured. Only the sections of `benchmarks.commands` have no JSON file: they are the
output of commands.
"""

from benchmarks import (
    adapt_page,
    arm_page,
    claims,
    comparison,
    compressed,
    compressed_c,
    compression_page,
    conversion,
    demos,
    detection,
    dry_run,
    embedding,
    equal_epochs,
    firmware_page,
    groups,
    int4_phones,
    interop,
    latency,
    micro_page,
    pairs,
    parts,
    peers,
    post_training,
    post_training_layers,
    pretrained,
    quantization_sweep,
    quantization_table,
    ranks,
    results,
    search,
    segmentation,
    survey,
    suspects,
    training,
    transfer,
    web_page,
)

SECTIONS = (
    latency.SECTION,
    peers.SECTION,
    conversion.SECTION,
    quantization_table.SECTION,
    quantization_sweep.SECTION,
    training.SECTION,
    equal_epochs.SECTION,
    results.SECTION,
    transfer.SECTION,
    micro_page.SECTION,
    claims.SECTION,
    comparison.SECTION,
    detection.TABLE.section,
    embedding.SECTION,
    pairs.SECTION,
    suspects.SECTION,
    survey.SECTION,
    segmentation.TABLE.section,
    firmware_page.SECTION,
    web_page.SECTION,
    arm_page.SECTION,
    groups.SECTION,
    demos.SECTION,
    dry_run.SECTION,
    search.SECTION,
    ranks.SECTION,
    parts.SECTION,
    *adapt_page.SECTIONS,
    *compressed.SECTIONS,
    compressed_c.SECTION,
    int4_phones.SECTION,
    *compression_page.SECTIONS,
    post_training.SECTION,
    post_training_layers.SECTION,
    *pretrained.SECTIONS,
    *interop.SECTIONS,
)


def main() -> None:
    """Write all sections, docs/micro.md, docs/firmware.md, docs/arm.md and the plots."""
    for section in SECTIONS:
        section.write()
    quantization_table.write_plot()
    micro_page.write_page()
    firmware_page.write_page()
    arm_page.write_page()


if __name__ == "__main__":
    main()
