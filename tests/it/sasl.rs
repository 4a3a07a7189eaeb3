//! TLS and SASL to Kafka: a broker whose clients must log in, with each mechanism, and again every few seconds
//! (confluentinc/librdkafka#3293).

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use config::{KafkaSecurity, OAuth, SaslMechanism, SecurityProtocol};
use harness::certificates::{Authority, Files};
use harness::config::Config;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::pipeline::{Pipeline, Service, ready};
use harness::stack::{OwnStack, Stack};
use serde_json::json;
use service::secret::Secret;

const USER: &str = "penstock";
const PASSWORD: &str = "let-me-in";
const CLIENT_SECRET: &str = "client secret";

/// Returns config lines for the broker: its client listener requires TLS and SASL.
fn broker(server: &Files, folder: &Path) -> Result<String> {
    let keystore = folder.join("broker.pem");
    let pem = [std::fs::read_to_string(&server.key)?, std::fs::read_to_string(&server.certificate)?].concat();
    std::fs::write(&keystore, pem)?;
    let package = "org.apache.kafka.common.security";
    Ok([
        // A client must log in again within this time (KIP-368), or the broker closes its connection.
        "connections.max.reauth.ms=3000".to_owned(),
        "listener.security.protocol.map=CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned(),
        "listener.name.client.ssl.keystore.type=PEM".to_owned(),
        format!("listener.name.client.ssl.keystore.location={}", keystore.display()),
        "listener.name.client.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER".to_owned(),
        format!(
            "listener.name.client.plain.sasl.jaas.config={package}.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";"
        ),
        format!("listener.name.client.scram-sha-256.sasl.jaas.config={package}.scram.ScramLoginModule required;"),
        format!("listener.name.client.scram-sha-512.sasl.jaas.config={package}.scram.ScramLoginModule required;"),
        format!(
            "listener.name.client.oauthbearer.sasl.jaas.config={package}.oauthbearer.OAuthBearerLoginModule required \
             unsecuredLoginStringClaim_sub=\"broker\";"
        ),
        format!(
            "listener.name.client.oauthbearer.sasl.server.callback.handler.class=\
             {package}.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler"
        ),
        format!(
            "listener.name.client.oauthbearer.sasl.login.callback.handler.class=\
             {package}.oauthbearer.internals.unsecured.OAuthBearerUnsecuredLoginCallbackHandler"
        ),
    ]
    .join("\n"))
}

fn security(ca_file: &Path, mechanism: SaslMechanism) -> KafkaSecurity {
    KafkaSecurity {
        protocol: SecurityProtocol::SaslSsl,
        ca_file: Some(ca_file.to_owned()),
        certificate_file: None,
        key_file: None,
        key_password: None,
        key_password_file: None,
        mechanism: Some(mechanism),
        username: Some(USER.to_owned()),
        password: Some(Secret::new(PASSWORD)),
        password_file: None,
        oauth: None,
    }
}

/// Starts a token endpoint whose tokens live 10 s. It counts them.
async fn token_endpoint() -> Result<(String, Arc<AtomicU32>)> {
    let given = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&given);
    let answer = move |headers: http::HeaderMap, form: String| {
        let count = Arc::clone(&count);
        async move {
            let expected = format!("Basic {}", STANDARD.encode(format!("{USER}:{CLIENT_SECRET}")));
            let known = headers.get("authorization").is_some_and(|value| value == expected.as_str());
            if !known || form != "grant_type=client_credentials&scope=kafka+events" {
                return Err(http::StatusCode::UNAUTHORIZED);
            }
            count.fetch_add(1, Ordering::Relaxed);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let claims = json!({"sub": USER, "iat": now, "exp": now + 10, "scope": "kafka events"});
            let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
            let token = format!("{}.{}.", part(json!({"alg": "none"})), part(claims));
            Ok(json!({"access_token": token, "token_type": "Bearer", "expires_in": 10}).to_string())
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/oauth/token", listener.local_addr()?);
    let router = axum::Router::new().route("/oauth/token", axum::routing::post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((url, given))
}

struct Scene {
    pipeline: Pipeline,
    config: Config,
    events: Events,
    sent: u64,
    // The last field is dropped last, so the stack is stopped last.
    _stack: OwnStack,
    authority: Authority,
}

impl Scene {
    async fn new() -> Result<Self> {
        let folder = harness::paths::scratch()?.join("sasl-authority");
        let authority = Authority::new(&folder)?;
        let server = authority.issue("server", &["127.0.0.1"])?;
        let stack = OwnStack::start_with("sasl", &[("KAFKA_EXTRA", &broker(&server, &folder)?)]).await?;
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            let password = format!("{mechanism}=[password={PASSWORD}]");
            let user = ["--alter", "--entity-type", "users", "--entity-name", USER, "--add-config", &password];
            stack.kafka_tool("kafka.admin.ConfigCommand", &user).await?;
        }
        // The harness itself uses the listener without a login.
        let internal = Stack { kafka: stack.internal_kafka()?, ..stack.stack };
        let pipeline = Pipeline::new(&internal, "sasl").await?;
        let mut config = pipeline.config.clone();
        config.kafka.brokers = stack.stack.brokers();
        Ok(Self { pipeline, config, events: Events::unique(), sent: 0, _stack: stack, authority })
    }

    async fn post(&self, receiver: &Service, number: u64) -> Result<http::HttpAnswer> {
        let token = format!("Bearer {}", self.pipeline.token);
        let headers = [("content-type", "application/avro"), ("authorization", token.as_str())];
        http::send(Method::POST, &receiver.url(), &headers, self.events.event(number).encode()).await
    }

    /// Sends an event through both services, which log in with `security`.
    async fn through(&mut self, security: KafkaSecurity) -> Result<Service> {
        let mechanism = security.mechanism;
        self.config.kafka.security = Some(security);
        let receiver = Service::receiver(self.config.clone()).await?;
        ready(&receiver.admin_url()).await?;
        let answer = self.post(&receiver, self.sent).await?;
        assert_eq!(answer.status, 200, "{mechanism:?}: {}", answer.text());
        self.sent += 1;
        let indexer = Service::indexer(self.config.clone()).await?;
        ready(&indexer.admin_url()).await?;
        let all: HashSet<String> = (0..self.sent).map(|number| self.events.id(number)).collect();
        self.pipeline.delivered_exactly(&all).await?;
        indexer.stop().await?;
        Ok(receiver)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_go_through_a_cluster_with_tls_and_each_login_mechanism() -> Result<()> {
    let mut scene = Scene::new().await?;
    let ca = scene.authority.ca_file();
    for mechanism in [SaslMechanism::Plain, SaslMechanism::ScramSha256, SaslMechanism::ScramSha512] {
        scene.through(security(&ca, mechanism)).await?.stop().await?;
    }

    let (token_url, given) = token_endpoint().await?;
    let oauth = OAuth {
        token_url,
        client_id: USER.to_owned(),
        client_secret: Some(Secret::new(CLIENT_SECRET)),
        client_secret_file: None,
        scope: Some("kafka events".to_owned()),
        ca_file: None,
    };
    let by_token = KafkaSecurity { oauth: Some(oauth), ..security(&ca, SaslMechanism::OAuthBearer) };
    let receiver = scene.through(by_token).await?;
    let so_far = given.load(Ordering::Relaxed);
    eventually("a token is renewed before it ends", || async {
        anyhow::ensure!(given.load(Ordering::Relaxed) > so_far, "{so_far} so far");
        Ok(())
    })
    .await?;
    assert_eq!(scene.post(&receiver, scene.sent).await?.status, 200);

    // A receiver that cannot log in says so, without the password, and accepts nothing.
    let wrong =
        KafkaSecurity { password: Some(Secret::new("open-sesame")), ..security(&ca, SaslMechanism::ScramSha512) };
    scene.config.kafka.security = Some(wrong);
    let receiver = Service::receiver(scene.config.clone()).await?;
    let answer = scene.post(&receiver, scene.sent + 1).await?;
    assert_eq!(answer.status, 503, "{}", answer.text());
    let readyz = http::get(&format!("{}/readyz", receiver.admin_url())).await?;
    assert_eq!(readyz.status, 503);
    assert!(readyz.text().contains("kafka: ") && !readyz.text().contains("open-sesame"), "{}", readyz.text());
    Ok(())
}
