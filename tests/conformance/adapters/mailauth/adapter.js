// Asks mailauth, a library whose caller keeps the policies, and passes the known one with each question.
//
// Its own functions run; only DNS, the request and the clock beneath them are replaced. The caller keeps
// what its README says: the policy that was returned, if its id is another or its life was renewed. It
// returns no extensions, and has no tolerant mode. There is no recheck, and the delivery is the caller's.
'use strict';

const { PassThrough } = require('node:stream');
const https = require('node:https');
const readline = require('node:readline');
const sts = require('mailauth/lib/mta-sts');

const DOMAIN = 'example.com';
const RealDate = Date;

class Unsupported extends Error {}

/** What DNS and the Policy Host answer (null: they fail), and what they were asked. */
class World {
    now = 0;
    clock = 1700000000;
    records = [];
    body = null;
    queries = [];
    requests = [];

    constructor() {
        https.request = (options, respond) => this.request(options, respond);
        const time = () => (this.clock + this.now) * 1000;
        globalThis.Date = class extends RealDate {
            constructor(...args) {
                super(...(args.length ? args : [time()]));
            }
            static now() {
                return time();
            }
        };
    }

    resolver = async (name, type) => {
        if (type !== 'TXT') {
            return ['192.0.2.1'];
        }
        this.queries.push({ at: this.now, name });
        if (!this.records?.length) {
            throw Object.assign(new Error('DNS'), { code: this.records ? 'ENODATA' : 'ESERVFAIL' });
        }
        return this.records.map(record => [record.toString('latin1')]);
    };

    request(options, respond) {
        this.requests.push({ at: this.now, options });
        const request = new PassThrough();
        setImmediate(() => {
            if (this.body === null) {
                return request.emit('error', new Error('the request failed'));
            }
            const response = Object.assign(new PassThrough(), { statusCode: 200 });
            respond(response);
            response.end(this.body);
        });
        return request;
    }
}

const data = ({ input, input_b64 }) => (input === undefined ? Buffer.from(input_b64, 'base64') : Buffer.from(input));
const recordsOf = ({ records, records_b64 }) =>
    records?.map(record => Buffer.from(record)) ?? records_b64.map(record => Buffer.from(record, 'base64'));

async function discovered(records) {
    const world = Object.assign(new World(), { records });
    const id = await sts.resolvePolicy(DOMAIN, { resolver: world.resolver });
    if (id === false) {
        throw new Error('no policy');
    }
    return { id };
}

async function names(vector) {
    const world = Object.assign(new World(), { records: [Buffer.from('v=STSv1; id=1')] });
    await sts.getPolicy(vector.input, null, { resolver: world.resolver });
    const { servername: host, protocol, path } = world.requests[0].options;
    return { txt: world.queries[0].name, policy_host: host, policy_url: `${protocol}//${host}${path}` };
}

async function scenario(vector) {
    if (vector.steps.some(step => step.recheck || step.restart)) {
        throw new Unsupported(); // both are the caller's
    }
    const [world, value] = [new World(), []];
    let known;
    for (const step of vector.steps) {
        Object.assign(world, { now: step.at, queries: [], requests: [] });
        let answer;
        if (step.txt) {
            world.records = step.txt.failed ? null : step.txt.records.map(record => Buffer.from(record));
        } else if (step.https) {
            world.body = step.https.body ?? null;
        } else if (step.clock) {
            world.clock += step.clock;
        } else if (step.lookup) {
            const found = await sts.getPolicy(vector.domain, known, { resolver: world.resolver });
            if (['found', 'renewed'].includes(found.status)) {
                known = found.policy;
            }
            const { mode, mx } = found.policy;
            answer = mode === 'none' ? { mode } : { mode, mx };
        }
        const times = asked => asked.map(({ at }) => at);
        value.push({ answer, txt: times(world.queries), https: times(world.requests) });
    }
    return value;
}

const KINDS = {
    record: vector => discovered([data(vector)]),
    recordset: vector => discovered(recordsOf(vector)),
    policy: vector => {
        const { mode, maxAge, mx } = sts.parsePolicy(data(vector));
        return { mode, max_age: maxAge, mx: mx ?? [] };
    },
    mx: vector => {
        const lines = vector.patterns.map(pattern => `\nmx: ${pattern}`).join('');
        const file = `version: STSv1\nmode: enforce\nmax_age: 1${lines}`;
        // Its parser refuses a policy without an mx.
        const policy = lines ? sts.parsePolicy(file) : { mode: 'enforce', mx: [] };
        // Its caller has the host from node:dns, without the dot at the end.
        return sts.validateMx(vector.host.replace(/\.$/, ''), policy).valid;
    },
    names,
    scenario
};

async function answerTo(vector) {
    try {
        if (!(vector.kind in KINDS) || vector.tolerant) {
            throw new Unsupported();
        }
        return { ok: true, value: await KINDS[vector.kind](vector) };
    } catch (error) {
        return error instanceof Unsupported ? { unsupported: true } : { ok: false, error: error.message };
    }
}

(async () => {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const vector = JSON.parse(line);
        console.log(JSON.stringify({ id: vector.id, ...(await answerTo(vector)) }));
    }
})();
