"""Write a `.tflite` from its unpacked form, and name its operators."""

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

OP_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if name[0] != "_"}


class AlignedBuilder(flatbuffers.Builder):
    """Keeps weights on 16 bytes, as the schema's force_align, which generated Python forgets.

    Microcontrollers read int32 biases in place, and some stop at an address that is no multiple
    of four.
    """

    def StartVector(self, elemSize, numElems, alignment):
        return super().StartVector(elemSize, numElems, 16 if elemSize == 1 else alignment)


def pack(model: schema.ModelT, builder: type[flatbuffers.Builder] = AlignedBuilder) -> bytes:
    """The file's bytes, without what stood behind the flatbuffer (labels)."""
    flat = builder(1 << 20)
    flat.Finish(model.Pack(flat), b"TFL3")
    return bytes(flat.Output())


def op_codes(model: schema.ModelT) -> list[int]:
    """The operator of each entry of the model's operator table; old files have a second field."""
    return [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
