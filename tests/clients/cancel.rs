//! Futures of the tokio client that are dropped at each point at which they wait.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
    time::Duration,
};

use mta_sts::{
    Domain,
    cache::{PolicyAnswer, TxtAnswer},
    client::AddressAnswer,
    delivery::{MinTlsLevel, Mx, Route},
    tokio::{BoxFuture, Client, Fetcher, Resolver},
};
use tokio::{runtime::Handle, task::yield_now};

use crate::world::{LONG, POLICY, domain};

/// Answers after some turns of the runtime.
struct Slow;

async fn turns() {
    for _ in 0..3 {
        yield_now().await;
    }
}

impl Resolver for Slow {
    fn txt<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(async {
            turns().await;
            TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(3600))
        })
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async { AddressAnswer::Found(vec![[127, 0, 0, 1].into()]) })
    }
}

impl Fetcher for Slow {
    fn fetch<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, PolicyAnswer> {
        Box::pin(async {
            turns().await;
            PolicyAnswer::from_body(domain, POLICY.as_bytes())
        })
    }
}

/// One of the calls that wait. Returns whether it has an answer.
type Call = for<'a> fn(&'a Client, &'a Domain) -> BoxFuture<'a, bool>;

const CALLS: [(&str, Call); 4] = [
    ("policy", |client, name| {
        Box::pin(async { client.policy(name).await.is_ok_and(|found| found.policy().is_some()) })
    }),
    ("recheck", |client, name| Box::pin(async { client.recheck(name).await.is_ok() })),
    ("force_refresh", |client, name| Box::pin(async { client.force_refresh(name).await.is_ok() })),
    ("delivery", |client, name| {
        Box::pin(async {
            let route = Route::for_recipient(name.clone(), [Mx::new(0, "mx.example.com")]);
            client.delivery(route, MinTlsLevel::Opportunistic).await.is_ok()
        })
    }),
];

/// Polls a future this many times, with a turn of the runtime after each. Returns its output if it is
/// ready by then.
async fn polled<T>(
    mut future: Pin<Box<dyn Future<Output = T> + Send + '_>>,
    times: usize,
) -> Option<T> {
    for _ in 0..times {
        let once = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(output) = once {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

fn is_waited_for(client: &Client) -> bool {
    let told = format!("{client:?}");
    told.split("waiting: ").skip(1).any(|line| !line.starts_with("{}") && !line.starts_with("0 "))
}

#[test]
fn a_call_that_is_dropped_anywhere_leaves_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for (name, call) in CALLS {
            let mut is_answered = false;
            let mut points = 0;
            while !is_answered {
                let client =
                    Client::builder().with_resolver(Slow).with_fetcher(Slow).build().await.unwrap();
                let idle = Handle::current().metrics().num_alive_tasks();
                let dropped = domain("dropped.example");
                is_answered = polled(call(&client, &dropped), points).await == Some(true);
                assert!(!is_waited_for(&client), "{name}, {points}: {client:?}");
                // Discovery continues, and no task of it is left at its end.
                let after = tokio::time::timeout(LONG, client.policy(&dropped)).await.unwrap();
                assert!(after.unwrap().policy().is_some(), "{name}, {points}");
                let ended = async {
                    while Handle::current().metrics().num_alive_tasks() > idle {
                        yield_now().await;
                    }
                };
                let what = format!("{name}, {points}: a task is left");
                tokio::time::timeout(LONG, ended).await.expect(&what);
                client.shutdown().await;
                points += 1;
                assert!(points < 1000, "{name} never ends");
            }
            assert!(points > 3, "{name} waited at {points} points only");
        }
    });
}
