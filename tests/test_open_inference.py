"""Requests and answers of the Open Inference Protocol, against bytes from its specification."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from skreprogram.sources._open_inference import (
    DATATYPES,
    MalformedAnswerError,
    as_datatype,
    decode_answer,
    encode_request,
)
from skreprogram.sources._open_inference_metadata import (
    model_path,
    read_binary_ability,
    read_metadata,
)

LENGTH = "Inference-Header-Content-Length"
TENSORS = st.sampled_from(sorted(DATATYPES)).flatmap(
    lambda name: npst.arrays(
        DATATYPES[name],
        npst.array_shapes(max_dims=4, max_side=4),
        elements=npst.from_dtype(DATATYPES[name], allow_nan=False, allow_infinity=False),
    )
)


def answer_with(*outputs, rest=b"", **more):
    """An answer as a server writes it: body and headers."""
    text = json.dumps({**more, "outputs": list(outputs)}).encode()
    return text + rest, {LENGTH.lower(): str(len(text))} if rest else {}


def output(name="p", shape=(1, 2), datatype="FP32", **more):
    return {"name": name, "shape": shape, "datatype": datatype, **more}


def test_the_binary_request_of_the_specification_is_written_so():
    tensor = np.array([[1, 2], [3, 4]], dtype=np.uint32)
    content, headers = encode_request(tensor, "input0", "output0", binary=True)
    length = int(headers[LENGTH])
    assert json.loads(content[:length]) == {
        "inputs": [
            {
                "name": "input0",
                "shape": [2, 2],
                "datatype": "UINT32",
                "parameters": {"binary_data_size": 16},
            }
        ],
        "outputs": [{"name": "output0", "parameters": {"binary_data": True}}],
    }
    assert content[length:] == bytes([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0])
    assert headers["Content-Type"] == "application/octet-stream"


def test_the_binary_answer_of_the_specification_is_read_so():
    numbers = [0.5, -1.0, 2.0, 0.25, 8.0, -0.125]
    tensor = output("output0", (3, 2), parameters={"binary_data_size": 24})
    content, headers = answer_with(tensor, rest=struct.pack("<6f", *numbers))
    found = decode_answer(content, headers, "output0")
    assert found.dtype == np.float32
    assert found.tolist() == [[0.5, -1.0], [2.0, 0.25], [8.0, -0.125]]


def test_a_json_request_names_input_shape_and_datatype():
    content, headers = encode_request(np.array([[True, False]]), "x", request_id="7")
    assert json.loads(content) == {
        "id": "7",
        "inputs": [{"name": "x", "shape": [1, 2], "datatype": "BOOL", "data": [True, False]}],
    }
    assert headers == {"Content-Type": "application/json"}


def test_without_an_output_name_all_outputs_are_wanted_binary():
    content, headers = encode_request(np.zeros((1, 2)), "x", binary=True)
    body = json.loads(content[: int(headers[LENGTH])])
    assert body["parameters"] == {"binary_data_output": True}
    assert "outputs" not in body


def test_several_outputs_lie_behind_the_text_in_their_order():
    first = output("a", (1, 3), "UINT8", parameters={"binary_data_size": 3})
    middle = output("b", (2,), "INT64", data=[5, 6])
    last = output("c", (1,), "FP64", parameters={"binary_data_size": 8})
    answer = answer_with(first, middle, last, rest=b"\x01\x02\x03" + struct.pack("<d", 0.5))
    assert [decode_answer(*answer, name).tolist() for name in "abc"] == [[[1, 2, 3]], [5, 6], [0.5]]


@given(TENSORS, st.booleans())
def test_what_is_sent_comes_back_the_same(tensor, binary):
    content, headers = encode_request(tensor, "x", binary=binary)
    length = int(headers.get(LENGTH, len(content)))
    body = json.loads(content[:length])
    # an echo: the input tensor becomes the output tensor, its numbers stay as they are
    text = json.dumps({"outputs": body["inputs"]}).encode()
    headers = {LENGTH: str(len(text))} if binary else {}
    found = decode_answer(text + content[length:], headers)
    assert found.dtype == tensor.dtype
    np.testing.assert_array_equal(found, tensor)


@given(TENSORS)
def test_bytes_are_little_endian_and_row_major_whatever_the_array_is(tensor):
    turned = np.asfortranarray(tensor.astype(tensor.dtype.newbyteorder(">")))
    content, headers = encode_request(turned, "x", binary=True)
    assert content[int(headers[LENGTH]) :] == tensor.tobytes()


@given(st.binary(max_size=200), st.sampled_from(["", "3", "x", "-1", "500"]))
def test_random_bytes_are_malformed(content, length):
    headers = {LENGTH: length} if length else {}
    with pytest.raises(MalformedAnswerError):
        decode_answer(content, headers)


WHOLE, WHOLE_HEADERS = answer_with(
    output(parameters={"binary_data_size": 8}), rest=struct.pack("<2f", 1, 2)
)


def test_an_answer_that_is_cut_anywhere_is_malformed():
    for kept in range(len(WHOLE)):
        with pytest.raises(MalformedAnswerError):
            decode_answer(WHOLE[:kept], WHOLE_HEADERS)


MALFORMED = {
    "a list": (b"[1, 2]", {}),
    "no outputs": (b'{"id": "1"}', {}),
    "outputs that are no tensors": (b'{"outputs": [1]}', {}),
    "fewer numbers than the shape": answer_with(output(data=[1.0])),
    "more numbers than the shape": answer_with(output(data=[1.0, 2.0, 3.0])),
    "rows of other lengths": answer_with(output(data=[[1.0], [2.0, 3.0]])),
    "no numbers": answer_with(output(data=["a", "b"])),
    "numbers as text": answer_with(output(data=["1", "2"])),
    "no data": answer_with(output()),
    "fractions as whole numbers": answer_with(output(datatype="INT64", data=[0.5, 1.0])),
    "too large a number": answer_with(output(datatype="UINT8", data=[1, 300])),
    "no shape": answer_with({"name": "p", "datatype": "FP32", "data": [1.0]}),
    "a negative size": answer_with(output(parameters={"binary_data_size": -8}), rest=b"12345678"),
    "bytes that nobody announced": answer_with(output(data=[1.0, 2.0]), rest=b"12345678"),
    "half a number": answer_with(output(parameters={"binary_data_size": 7}), rest=b"1234567"),
    "another request's": answer_with(output(data=[1.0, 2.0]), id="other"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_contradicts_itself_is_malformed(case):
    content, headers = MALFORMED[case]
    with pytest.raises(MalformedAnswerError):
        decode_answer(content, headers, "p", request_id="mine")


def test_null_numbers_are_read_as_nan():
    found = decode_answer(*answer_with(output(data=[None, 1.0])))
    np.testing.assert_array_equal(found, np.float32([[np.nan, 1.0]]))


def test_nested_numbers_are_read_too():
    assert decode_answer(*answer_with(output(data=[[1, 2]]))).tolist() == [[1.0, 2.0]]


def test_an_answer_that_repeats_the_mark_is_taken():
    assert decode_answer(*answer_with(output(data=[1, 2]), id="mine"), None, "mine").size == 2


@pytest.mark.parametrize("name", [None, "q"])
def test_an_output_that_is_not_there_gets_the_names_that_are(name):
    answer = answer_with(output("a", data=[1, 2]), output("b", data=[1, 2]))
    with pytest.raises(ValueError, match=r"Got the outputs \['a', 'b'\].*Give output_name"):
        decode_answer(*answer, name)


@pytest.mark.parametrize("datatype", ["BYTES", "FP16", "BF16"])
def test_outputs_that_are_not_of_known_numbers_are_refused(datatype):
    with pytest.raises(ValueError, match=f"Got a tensor of {datatype}, expected one of"):
        decode_answer(*answer_with(output(datatype=datatype, data=[1, 2])))


def test_an_array_of_text_cannot_be_sent():
    with pytest.raises(ValueError, match="Got a tensor of <U1, expected one of"):
        encode_request(np.array([["a"]]), "x")


@pytest.mark.parametrize(
    ("numbers", "datatype"),
    [
        ([0.5], "UINT8"),
        ([256.0], "UINT8"),
        ([-1.0], "UINT8"),
        ([np.nan], "FP32"),
        ([np.inf], "INT32"),
        ([1e300], "FP32"),
        ([2.0], "BOOL"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(numbers, datatype):
    with pytest.raises(ValueError, match=f"that {datatype} cannot hold.*Give `prepare`"):
        as_datatype(np.array(numbers), datatype)


def test_numbers_may_lose_precision_only():
    assert as_datatype(np.array([[0.1]]), "FP32") == np.float32(0.1)


def test_metadata_of_a_server_that_declares_little_is_empty():
    assert read_metadata(b'{"name": "m", "inputs": null}') == ((), "", (), ())


def test_metadata_with_tensors_in_part_is_malformed():
    with pytest.raises(MalformedAnswerError):
        read_metadata(b'{"inputs": [{"name": "x", "datatype": "FP32"}]}')


def test_a_server_without_the_extension_is_not_able():
    assert not read_binary_ability(b'{"name": "mlserver", "extensions": []}')


def test_names_cannot_leave_their_place_in_a_path():
    assert model_path("../a/b?c", "1 2") == "/v2/models/..%2Fa%2Fb%3Fc/versions/1%202"
