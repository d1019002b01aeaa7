use super::*;

const MISMATCH: Result<bool, VerifyError> = Err(VerifyError::Mismatch);

fn ask(scheme: Scheme) -> VerifyAsk {
    VerifyAsk {
        scheme,
        secret: "signing".into(),
        tolerance_s: 300,
        id_headers: Vec::new(),
    }
}

/// [`super::verify`] of a request to a URL that the scheme does not sign.
fn verify(
    ask: &VerifyAsk,
    secret: &str,
    headers: &[(String, Vec<u8>)],
    body: &[u8],
    now_ms: u64,
) -> Result<bool, VerifyError> {
    let received = Received {
        url: "https://tocsin.example/hooks/p/in",
        headers,
        body,
        now_ms,
    };
    super::verify(ask, secret, received)
}

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect()
}

/// The example from Slack's documentation.
const SLACK_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const SLACK_BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=\
testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&\
command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J\
%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c4\
47fce8b6703c";
const SLACK_SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
const SLACK_AT_MS: u64 = 1_531_420_618_000;

#[test]
fn slacks_documented_example_verifies() {
    let headers = headers(&[
        ("x-slack-request-timestamp", "1531420618"),
        ("x-slack-signature", SLACK_SIGNATURE),
    ]);
    let got = verify(
        &ask(Scheme::SlackV0),
        SLACK_SECRET,
        &headers,
        SLACK_BODY,
        SLACK_AT_MS,
    );
    assert_eq!(got, Ok(true));
}

fn slack(pairs: &[(&str, &str)], body: &[u8], now_ms: u64) -> Result<bool, VerifyError> {
    verify(
        &ask(Scheme::SlackV0),
        SLACK_SECRET,
        &headers(pairs),
        body,
        now_ms,
    )
}

#[test]
fn slack_requests_that_are_old_or_early_are_refused() {
    let signed = [
        ("x-slack-request-timestamp", "1531420618"),
        ("x-slack-signature", SLACK_SIGNATURE),
    ];
    let stale = VerifyError::Stale {
        off_s: 301,
        tolerance_s: 300,
    };
    for now_ms in [SLACK_AT_MS + 301_000, SLACK_AT_MS - 301_000] {
        assert_eq!(
            slack(&signed, SLACK_BODY, now_ms),
            Err(stale.clone()),
            "{now_ms}"
        );
    }
    assert_eq!(slack(&signed, SLACK_BODY, SLACK_AT_MS + 300_000), Ok(true));
}

#[test]
fn slack_requests_that_are_changed_or_unsigned_are_refused() {
    let at = ("x-slack-request-timestamp", "1531420618");
    let soon = ("x-slack-request-timestamp", "soon");
    let signed = ("x-slack-signature", SLACK_SIGNATURE);
    let wrong = ("x-slack-signature", "v0=00");
    let v1 = ("x-slack-signature", "v1=00");
    let missing = |name: &str| VerifyError::Missing(name.into());
    let malformed = |name: &str| VerifyError::Malformed(name.into());
    let cases = [
        (vec![at, wrong], VerifyError::Mismatch),
        (vec![at, v1], malformed("x-slack-signature")),
        (vec![soon, signed], malformed("x-slack-request-timestamp")),
        (vec![at], missing("x-slack-signature")),
        (vec![signed], missing("x-slack-request-timestamp")),
        (vec![at, signed, wrong], malformed("x-slack-signature")),
    ];
    for (given, want) in cases {
        assert_eq!(
            slack(&given, SLACK_BODY, SLACK_AT_MS),
            Err(want),
            "{given:?}"
        );
    }
    let changed = slack(&[at, signed], b"other", SLACK_AT_MS);
    assert_eq!(changed, Err(VerifyError::Mismatch));
}

#[test]
fn a_secret_that_is_sent_as_it_is_must_be_the_whole_one() {
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    let gitlab = || Scheme::Token {
        header: "x-gitlab-token".into(),
    };
    let malformed = || VerifyError::Malformed("authorization".into());
    let cases = [
        (gitlab(), "X-Gitlab-Token", "s3cret".to_owned(), Ok(true)),
        (gitlab(), "x-gitlab-token", "s3cre".to_owned(), MISMATCH),
        (
            Scheme::Bearer,
            "Authorization",
            "bearer s3cret".to_owned(),
            Ok(true),
        ),
        (
            Scheme::Bearer,
            "Authorization",
            "Bearer s3cret2".to_owned(),
            MISMATCH,
        ),
        (
            Scheme::Bearer,
            "Authorization",
            "s3cret".to_owned(),
            Err(malformed()),
        ),
        (
            Scheme::Bearer,
            "Authorization",
            basic(":s3cret"),
            Err(malformed()),
        ),
        (
            Scheme::Basic,
            "Authorization",
            basic("any:s3cret"),
            Ok(true),
        ),
        (
            Scheme::Basic,
            "Authorization",
            basic("any:s3cret:"),
            MISMATCH,
        ),
        (
            Scheme::Basic,
            "Authorization",
            basic("s3cret"),
            Err(malformed()),
        ),
        (
            Scheme::Basic,
            "Authorization",
            "Basic %".to_owned(),
            Err(malformed()),
        ),
    ];
    for (scheme, name, value, want) in cases {
        let headers = headers(&[(name, &value)]);
        assert_eq!(
            verify(&ask(scheme), "s3cret", &headers, b"", 0),
            want,
            "{value}"
        );
    }
}

/// The example from the reference libraries of the Standard Webhooks specification.
#[test]
fn the_standard_webhooks_example_verifies_among_other_signatures() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let body = br#"{"test": 2432232314}"#;
    for (signatures, want) in [
        (right.to_owned(), Ok(true)),
        (format!("v1,AAAA {right} v2,x"), Ok(true)),
        ("v1,AAAA".to_owned(), Err(VerifyError::Mismatch)),
    ] {
        let headers = headers(&[
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", &signatures),
        ]);
        let scheme = ask(Scheme::StandardWebhooks);
        let got = verify(&scheme, secret, &headers, body, 1_614_265_330_000);
        assert_eq!(got, want, "{signatures}");
    }
}

fn hmac(hash: HmacHash, signed: Signed) -> VerifyAsk {
    ask(Scheme::Hmac {
        hash,
        signed,
        header: "x-signature".into(),
    })
}

/// The example from GitHub's "Validating webhook deliveries", and its HMAC with SHA-1.
#[test]
fn githubs_documented_hmac_example_verifies_with_and_without_prefix() {
    let sha256 = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let sha1 = "01dc10d0c83e72ed246219cdd91669667fe2ca59";
    for (hash, value, want) in [
        (HmacHash::Sha256, format!("sha256={sha256}"), Ok(true)),
        (HmacHash::Sha256, sha256.to_owned(), Ok(true)),
        (HmacHash::Sha1, format!("sha1={sha1}"), Ok(true)),
        (HmacHash::Sha1, sha1.to_owned(), Ok(true)),
        (HmacHash::Sha1, sha256.to_owned(), MISMATCH),
        (HmacHash::Sha256, sha1.to_owned(), MISMATCH),
    ] {
        let headers = headers(&[("x-signature", &value)]);
        let (secret, body) = ("It's a Secret to Everybody", b"Hello, World!");
        let got = verify(&hmac(hash, Signed::Body), secret, &headers, body, 0);
        assert_eq!(got, want, "{hash:?} {value}");
    }
}

#[test]
fn without_a_scheme_no_sender_is_verified() {
    assert_eq!(verify(&ask(Scheme::None), "", &[], b"", 0), Ok(false));
}

/// The example of Twilio's documentation and of its libraries.
const TWILIO_URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const TWILIO_BODY: &str = "Digits=1234&To=%2B18005551212&From=%2B14158675309&\
Caller=%2B14158675309&CallSid=CA1234567890ABCDE";

fn twilio(url: &str, body: &str, signature: &str) -> Result<bool, VerifyError> {
    let received = Received {
        url,
        headers: &headers(&[("X-Twilio-Signature", signature)]),
        body: body.as_bytes(),
        now_ms: 0,
    };
    super::verify(&ask(Scheme::Twilio), "12345", received)
}

#[test]
fn twilios_documented_example_verifies_with_and_without_the_port() {
    let plain = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    let with_port = "kvajT1Ptam85bY51eRf/AJRuM3w=";
    let ported = "https://mycompany.com:443/myapp.php?foo=1&bar=2";
    for signature in [plain, with_port] {
        for url in [TWILIO_URL, ported] {
            assert_eq!(twilio(url, TWILIO_BODY, signature), Ok(true), "{url}");
        }
    }
}

#[test]
fn a_twilio_request_with_another_url_or_field_is_refused() {
    let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    let fewer = TWILIO_BODY.replace("Digits=1234&", "");
    let other = TWILIO_BODY.replace("1234&", "1235&");
    let cases = [
        ("https://mycompany.com/myapp.php?foo=1&bar=3", TWILIO_BODY),
        ("http://mycompany.com/myapp.php?foo=1&bar=2", TWILIO_BODY),
        ("https://mycompany.com:8443/myapp.php?foo=1", TWILIO_BODY),
        (TWILIO_URL, &fewer),
        (TWILIO_URL, &other),
    ];
    for (url, body) in cases {
        let got = twilio(url, body, signature);
        assert_eq!(got, Err(VerifyError::Mismatch), "{url} {body}");
    }
    let malformed = VerifyError::Malformed("x-twilio-signature".into());
    assert_eq!(twilio(TWILIO_URL, TWILIO_BODY, "%"), Err(malformed));
}

#[test]
fn an_hmac_over_url_and_body_is_in_hexadecimal_or_base_64() {
    // printf %s 'https://a.example/in{"a":1}' | openssl dgst -sha256 -hmac key
    let sha256 = "933c587492ec0ce0c252b842c3b4ea2fb884772c2e5345a676d9bd5d767f7ad3";
    let sha1 = "80dec56c02fe3bd999decceb43906cdf6d2d7995";
    for (hash, digest) in [(HmacHash::Sha256, sha256), (HmacHash::Sha1, sha1)] {
        let base64 = STANDARD.encode(hex::decode(digest).unwrap());
        let urls = [
            ("https://a.example/in", Ok(true)),
            ("https://a.example/out", MISMATCH),
        ];
        let both = [digest, &base64].into_iter();
        let cases = both.flat_map(|signature| urls.iter().map(move |url| (signature, url)));
        for (signature, (url, want)) in cases {
            let received = Received {
                url,
                headers: &headers(&[("x-signature", signature)]),
                body: b"{\"a\":1}",
                now_ms: 0,
            };
            let got = super::verify(&hmac(hash, Signed::UrlAndBody), "key", received);
            assert_eq!(got, *want, "{signature} {url}");
        }
    }
}
