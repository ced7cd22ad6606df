"""Write a `.tflite` from its unpacked form."""

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


class AlignedBuilder(flatbuffers.Builder):
    """Keeps weights on 16 bytes, as the schema's force_align, which generated Python forgets.

    Microcontrollers read int32 biases in place, and some stop at an address that is no multiple
    of four.
    """

    def StartVector(self, elemSize, numElems, alignment):
        return super().StartVector(elemSize, numElems, 16 if elemSize == 1 else alignment)


def pack(model: schema.ModelT) -> bytes:
    """The file's bytes, without what stood behind the flatbuffer (labels)."""
    builder = AlignedBuilder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
