"""Reads questions and writes answers, a line each, for the adapters in Python."""

import base64, json, sys


class Unsupported(Exception):
    """The implementation lacks what the question is about."""


def data(value):
    """Returns the bytes that `input` or `input_b64` stands for."""
    return base64.b64decode(value["input_b64"]) if "input_b64" in value else value["input"].encode()


def record_set(vector):
    """Returns the bytes of each record of a question about several."""
    if "records_b64" in vector:
        return [base64.b64decode(record) for record in vector["records_b64"]]
    return [record.encode() for record in vector["records"]]


def answer_all(kinds):
    """Answers with the functions of `kinds`, by the name of the kind. A ValueError is a refusal."""
    for line in sys.stdin:
        vector = json.loads(line)
        answer = {"id": vector["id"]}
        try:
            if vector["kind"] not in kinds or vector.get("tolerant"):
                raise Unsupported
            answer |= {"ok": True, "value": kinds[vector["kind"]](vector)}
        except Unsupported:
            answer["unsupported"] = True
        except ValueError as error:
            answer |= {"ok": False, "error": str(error)}
        print(json.dumps(answer), flush=True)
