"""Answers the vectors of the kind `record`: an example of a runner for the conformance suite.

    cargo run -p mta-sts-examples --example conformance -- \
        --against 'python3 tests/conformance/adapters/example/runner.py'
"""

import base64, json, re, sys

EXTENSION = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})=([!-:<>-~]+)")


def record(text):
    """Reads a TXT record by the grammar of RFC 8461 section 3.1."""
    version, *fields = re.split(r"[ \t]*;[ \t]*", text)
    if fields and fields[-1] == "":
        fields.pop()  # one delimiter may end the record
    if version != "v=STSv1" or not fields:
        raise ValueError("no version, or nothing after it")
    pairs = {}
    for field in fields:
        name, value = EXTENSION.fullmatch(field).groups()
        pairs.setdefault(name, value)  # the first of each name counts
    identifier = pairs.pop("id")
    re.fullmatch(r"[A-Za-z0-9]{1,32}", identifier).group()
    return {"id": identifier, "extensions": [list(pair) for pair in pairs.items() if pair[0] != "v"]}


for line in sys.stdin:
    vector = json.loads(line)
    answer = {"id": vector["id"]}
    if vector["kind"] != "record":
        answer["unsupported"] = True
    else:
        try:
            data = base64.b64decode(vector["input_b64"]) if "input_b64" in vector else vector["input"].encode()
            answer |= {"ok": True, "value": record(data.decode("ascii"))}
        except (AttributeError, KeyError, ValueError) as error:
            answer |= {"ok": False, "error": repr(error)}
    print(json.dumps(answer), flush=True)
