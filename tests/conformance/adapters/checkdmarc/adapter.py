"""Asks checkdmarc, which checks what domains publish. It is no sender: it has no cache and no delivery.

Its own functions query and download; only the query and the request beneath them are replaced. What it
warns of is valid for it, but for the media type, where a warning is all that it says. It is strict by
intent, and has no tolerant mode. It does not return extensions.
"""

import pathlib, sys

import dns.resolver, requests
from checkdmarc import mta_sts, smtp_tls_reporting
from requests.utils import get_encoding_from_headers

sys.path.append(str(pathlib.Path(__file__).parents[1] / "common"))
from lines import answer_all, data, record_set

DOMAIN = "example.com"


class World:
    """What DNS and the Policy Host answer, and what they were asked."""

    def __init__(self, records=(), body=b"", content_type="text/plain"):
        self.records, self.body, self.content_type, self.asked = records, body, content_type, []
        mta_sts.query_dns = smtp_tls_reporting.query_dns = self.query
        requests.Session.get = self.get

    def query(self, name, kind, **_):
        self.asked.append(name)
        if not self.records or kind != "TXT":
            raise dns.resolver.NoAnswer
        return [record.decode("utf-8") for record in self.records]

    def get(self, url, **_):
        self.asked.append(url)
        response = requests.Response()
        response.status_code, response._content = 200, self.body
        if self.content_type:
            response.headers["Content-Type"] = self.content_type
        response.encoding = get_encoding_from_headers(response.headers)
        return response


def recordset(vector):
    return discovered(record_set(vector))


def record(vector):
    return discovered([data(vector)])


def discovered(records):
    World(records)
    text = mta_sts.query_mta_sts_record(DOMAIN)["record"]
    return {"id": mta_sts.parse_mta_sts_record(text)["tags"]["id"]}


def policy(vector):
    World(body=data(vector))
    parsed = parse(mta_sts.download_mta_sts_policy(DOMAIN)["policy"])
    return {"mode": parsed["mode"], "max_age": parsed["max_age"], "mx": [mx.lower() for mx in parsed["mx"]]}


def parse(text):
    return mta_sts.parse_mta_sts_policy(text)["policy"]


def mx(vector):
    lines = "".join(f"mx: {pattern}\n" for pattern in vector["patterns"])
    mode = "enforce" if lines else "none"
    patterns = parse(f"version: STSv1\nmode: {mode}\nmax_age: 1\n{lines}")["mx"]
    # Its caller has the host from dnspython, without the dot at the end and in lower case.
    return mta_sts.mx_in_mta_sts_patterns(vector["host"].removesuffix(".").lower(), patterns)


def names(vector):
    world = World([b"v=STSv1; id=1"])
    domain = mta_sts.normalize_domain(vector["input"].rstrip(".\r\n").strip())  # as check_domains does
    mta_sts.query_mta_sts_record(domain)
    mta_sts.download_mta_sts_policy(domain)
    try:
        smtp_tls_reporting.query_smtp_tls_reporting_record(domain)
    except smtp_tls_reporting.SMTPTLSReportingError:
        pass  # no such record, but the question is known
    txt, url = world.asked[0], next(name for name in world.asked if name.startswith("https:"))
    tlsrpt = next(name for name in world.asked if name.startswith("_smtp."))
    return {"txt": txt, "policy_host": url.split("/")[2], "policy_url": url, "tlsrpt": tlsrpt}


def media_type(vector):
    World(content_type=data(vector).decode("latin-1"))
    return not mta_sts.download_mta_sts_policy(DOMAIN)["warnings"]


def refusing(answer):
    """Makes its errors those of the runner."""

    def run(vector):
        try:
            return answer(vector)
        except mta_sts.MTASTSError as error:
            raise ValueError(error) from error

    return run


KINDS = [record, recordset, policy, mx, names, media_type]
answer_all({kind.__name__: refusing(kind) for kind in KINDS})
