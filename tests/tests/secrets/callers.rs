//! The callers of the daemon in this test: senders with tokens, and clients without one.

use serde_json::json;
use tocsin_tests::support::Program;

use crate::{HOOK, MISTYPED, Run};

impl Run {
    /// Every way in which a sender may carry its token, each with success.
    pub(crate) async fn senders(&mut self, program: &Program) {
        let client = reqwest::Client::new();
        let url = &program.url;
        let admin = self.keep("the admin's token", &program.admin().unwrap());
        let any = program.token("ingest", Some("any")).await.unwrap();
        let any = self.keep("a token of scope ingest", &any);
        let am = program.token("ingest", Some("prometheus")).await.unwrap();
        let am = self.keep("Prometheus's token", &am);
        let pd = program.token("ingest", Some("pagerduty")).await.unwrap();
        let pd = self.keep("PagerDuty's routing key", &pd);
        let read = program.token("read", None).await.unwrap();
        let read = self.keep("a token of scope read", &read);
        let alert = |n: u32| json!({ "title": format!("Down {n}"), "labels": { "service": "s" } });
        let critical = json!([{ "labels": {
            "alertname": "CheckoutDown", "severity": "critical", "service": "checkout",
            "team": "payments",
        } }]);
        let event = json!({
            "routing_key": pd, "event_action": "trigger", "dedup_key": "d",
            "payload": { "summary": "Down", "source": "x", "severity": "critical" },
        });
        let ingest = format!("{url}/ingest/any");
        let sent = [
            client.post(&ingest).bearer_auth(&any).json(&alert(1)),
            client
                .post(&ingest)
                .basic_auth("x", Some(&any))
                .json(&alert(2)),
            client
                .post(&ingest)
                .header("x-tocsin-key", &any)
                .json(&alert(3)),
            client.post(format!("{ingest}?key={any}")).json(&alert(4)),
            client
                .post(format!("{url}/api/v2/alerts"))
                .bearer_auth(&am)
                .json(&critical),
            client.post(format!("{url}/v2/enqueue")).json(&event),
        ];
        for (number, request) in sent.into_iter().enumerate() {
            let status = self.ask(&format!("sender {number}"), request).await;
            assert!((200..300).contains(&status), "sender {number}: {status}");
        }
        for path in [
            "/api/v1/incidents",
            "/api/v1/incidents/1",
            "/api/v1/alerts",
            "/api/v1/oncall",
            "/api/v1/plugins",
            "/api/v1/policies",
            "/api/v2/status",
            "/api/v2/alerts",
            "/api/v2/silences",
            "/metrics",
            "/openapi.json",
        ] {
            let request = client.get(format!("{url}{path}?key={read}"));
            assert_eq!(self.ask(path, request).await, 200, "{path}");
        }
        let tokens = client
            .get(format!("{url}/api/v1/tokens"))
            .bearer_auth(&admin);
        assert_eq!(self.ask("the list of tokens", tokens).await, 200);
    }

    /// Every way to be refused, with secrets in places where they do not belong.
    pub(crate) async fn refused_requests(&mut self, program: &Program) {
        let client = reqwest::Client::new();
        let url = &program.url;
        let admin = program.admin().unwrap();
        let wrong_key = json!({ "routing_key": MISTYPED, "event_action": "trigger" });
        let no_json = format!("{{\"title\": \"{MISTYPED}\"");
        let requests = [
            client
                .get(format!("{url}/api/v1/incidents"))
                .bearer_auth(MISTYPED),
            client.get(format!("{url}/api/v1/incidents?key={MISTYPED}")),
            client
                .get(format!("{url}/api/v1/incidents"))
                .basic_auth(MISTYPED, Some(MISTYPED)),
            client
                .get(format!("{url}/api/v1/incidents"))
                .header("x-tocsin-key", MISTYPED),
            client
                .get(format!("{url}/api/v1/incidents?key={MISTYPED}"))
                .bearer_auth(&admin),
            client
                .get(format!("{url}/api/v1/incidents/{MISTYPED}"))
                .bearer_auth(&admin),
            client
                .get(format!("{url}/api/v1/tokens/{MISTYPED}"))
                .bearer_auth(&admin),
            client
                .delete(format!("{url}/api/v1/tokens/{MISTYPED}"))
                .bearer_auth(&admin),
            client
                .post(format!("{url}/ingest/{MISTYPED}"))
                .body(no_json.clone()),
            client
                .post(format!("{url}/ingest/{MISTYPED}"))
                .bearer_auth(&admin)
                .json(&json!({})),
            client
                .post(format!("{url}/ingest/any"))
                .bearer_auth(&admin)
                .body(no_json.clone()),
            client.post(format!("{url}/v2/enqueue")).json(&wrong_key),
            client.post(format!("{url}/v2/enqueue")).body(no_json),
            client.get(format!("{url}/ack/{MISTYPED}.{MISTYPED}")),
            client.post(format!("{url}/ack/{MISTYPED}.{MISTYPED}")),
            client.post(format!("{url}/hooks/{MISTYPED}/{MISTYPED}")),
            client.post(format!("{url}/hooks/slack/{MISTYPED}")),
            client
                .post(format!("{url}/hooks/repeater/in"))
                .header("x-gitlab-token", MISTYPED),
            client
                .post(format!("{url}/hooks/repeater/in"))
                .header("x-gitlab-token", &HOOK[1..]),
            client.get(format!("{url}/{MISTYPED}?key={MISTYPED}")),
            client.put(format!("{url}/api/v1/incidents?key={admin}")),
        ];
        for (number, request) in requests.into_iter().enumerate() {
            let status = self
                .ask(&format!("refused request {number}"), request)
                .await;
            assert!(
                (400..500).contains(&status),
                "refused request {number}: {status}"
            );
        }
        for plugin in ["repeater", "runaway"] {
            let request = client.post(format!("{url}/hooks/{plugin}/in"));
            let request = request.header("x-gitlab-token", HOOK).body("say it");
            let status = self.ask(plugin, request).await;
            let said: Vec<String> = self.said_of(program, plugin);
            assert_eq!(status, 200, "{plugin}: {said:#?}");
        }
    }
}
