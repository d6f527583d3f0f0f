"""Asks postfix-mta-sts-resolver, a daemon that tells Postfix which policy applies to a domain.

Its own STSResolver and STSSocketmapResponder run, with the default settings but for two, so that the
reply tells the mode and the patterns: `tlsrpt` and `strict_testing`. DNS, HTTPS and the clock beneath them
are replaced. Which MX host matches, and the delivery, are for Postfix. It has no tolerant mode.
"""

import asyncio, pathlib, re, sys, types

import aiodns
from postfix_mta_sts_resolver import resolver, responder, utils
from postfix_mta_sts_resolver.internal_cache import InternalLRUCache

sys.path.append(str(pathlib.Path(__file__).parents[1] / "common"))
from lines import Unsupported, answer_all, data, record_set

DOMAIN = "example.com"
GOOD_RECORD = b"v=STSv1; id=1"
GOOD_POLICY = b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 86400\n"
MODE = re.compile(r"\{ policy_string = mode: (\w+) \}")


class World:
    """The time, what DNS and the Policy Host answer (None: they fail), and what they were asked."""

    def __init__(self, records=(), body=None, content_type="text/plain"):
        self.records, self.body, self.content_type = records, body, content_type
        self.now, self.clock, self.queries, self.requests = 0, 1_700_000_000, [], []
        self.names = []
        resolver.aiohttp.ClientSession = lambda **_: self
        responder.time = types.SimpleNamespace(time=lambda: self.clock + self.now)

    async def query(self, name, _):
        self.queries.append(self.now)
        self.names.append(name)
        if self.records is None:
            raise aiodns.error.DNSError(aiodns.error.ARES_ESERVFAIL, "SERVFAIL")
        if not self.records:
            raise aiodns.error.DNSError(aiodns.error.ARES_ENODATA, "no data")
        return [types.SimpleNamespace(text=record) for record in self.records]

    def get(self, url, **_):
        self.requests.append(self.now)
        self.names.append(url)
        if self.body is None:
            raise resolver.aiohttp.ClientError("the request failed")
        self.status, self.headers = 200, {"Content-Type": self.content_type}
        charset = re.search(r"charset=\"?([\w-]+)", self.content_type)
        self.charset = charset and charset[1]
        self.content, self.rest = self, self.body
        return self

    async def read(self, size):
        chunk, self.rest = self.rest[:size], self.rest[size:]
        return chunk

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None


def resolved(world, domain=DOMAIN):
    """Returns the id and the policy that STSResolver finds."""
    its = resolver.STSResolver(loop=loop)
    its._resolver = world
    status, found = loop.run_until_complete(its.resolve(domain))
    if status is not resolver.STSFetchResult.VALID:
        raise ValueError(status.name)
    return found


def record(vector):
    policy_id, _ = resolved(World([data(vector)], GOOD_POLICY))
    fields = utils.parse_mta_sts_record(data(vector).decode())
    extensions = [[name, value] for name, value in fields.items() if name not in ("v", "id")]
    return {"id": policy_id, "extensions": extensions}


def recordset(vector):
    return {"id": resolved(World(record_set(vector), GOOD_POLICY))[0]}


def policy(vector):
    _, found = resolved(World([GOOD_RECORD], data(vector)))
    patterns = [mx.lower() for mx in found["mx"]]
    return {"mode": found["mode"], "max_age": found["max_age"], "mx": patterns}


def media_type(vector):
    try:
        return bool(resolved(World([GOOD_RECORD], GOOD_POLICY, data(vector).decode("latin-1"))))
    except ValueError:
        return False


def names(vector):
    world = World([GOOD_RECORD], GOOD_POLICY)
    resolved(world, utils.filter_domain(vector["input"]))
    txt, url = world.names
    return {"txt": txt, "policy_host": url.split("/")[2], "policy_url": url}


def scenario(vector):
    if any("recheck" in step for step in vector["steps"]):
        raise Unsupported  # Postfix does not ask it before it returns a message
    world, its, value = World(), None, []
    for step in vector["steps"]:
        world.now, world.queries, world.requests = step["at"], [], []
        if its is None or "restart" in step:
            its = new_responder(world)
        found = {}
        if "txt" in step:
            records = [record.encode() for record in step["txt"].get("records", [])]
            world.records = None if step["txt"].get("failed") else records
        elif "https" in step:
            world.body = step["https"]["body"].encode() if "body" in step["https"] else None
        elif "clock" in step:
            world.clock += step["clock"]
        elif "lookup" in step:
            found["answer"] = applied(its, vector["domain"])
        value.append(found | {"txt": world.queries, "https": world.requests})
    return value


def new_responder(world):
    zone = {"strict_testing": True, "tlsrpt": True}
    config = utils.populate_cfg_defaults({"default_zone": zone})
    its = responder.STSSocketmapResponder(config, loop, InternalLRUCache())
    its._default_zone.resolver._resolver = world
    return its


def applied(its, domain):
    """Asks as Postfix does, and reads the reply."""
    reply = loop.run_until_complete(its.process_request(f"postfix {domain}".encode())).decode()
    mode = MODE.search(reply)
    if mode is None:
        return {"mode": "none"}
    return {"mode": mode[1], "mx": [mx.lower() for mx in re.findall(r"mx_host_pattern=(\S+)", reply)]}


loop = asyncio.new_event_loop()
answer_all({kind.__name__: kind for kind in [record, recordset, policy, media_type, names, scenario]})
