//! AWS's Security Token Service: the calls of a plan, made with the SDK.
//!
//! A call that carries a token code is sent once, because a code works once. What went wrong is told apart by what it
//! means for the code: refused, never sent, or sent with no answer.

use std::error::Error as StdError;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::EnvConfigValue;
use aws_runtime::env_config::section::EnvConfigSections;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::Builder;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::types;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_types::os_shim_internal::Env;
use http::Uri;

use crate::ambient::{self, Ambient};
use crate::credentials::{AccessKey, Expiration, Secret, Session};
use crate::error::Error;
use crate::mfa::{SerialNumber, TokenCode};
use crate::plan::{Call, Role};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a call may take, connection and answer together: the longest that a person waits for a word.
const CALL: Duration = Duration::from_secs(10);
/// How long to wait before a connection that failed is tried once more.
const PAUSE: Duration = Duration::from_millis(500);

/// A client of one region's STS.
pub(crate) struct Sts {
    client: Client,
    endpoint: String,
}

/// Why a call gave no session.
pub(crate) enum Failure {
    /// STS looked at the token code and rejected it.
    CodeRejected,
    /// STS answered with another error.
    Refused {
        /// AWS's code, such as `AccessDenied`.
        code: String,
        /// AWS's words.
        message: String,
    },
    /// Nothing reached STS, and so a token code is as good as before.
    NotSent(String),
    /// The request went out and no answer came: a token code may be spent.
    Lost(String),
    /// STS carried the request out, and its answer is of no use. Another code would get the same.
    Useless(&'static str),
}

impl Sts {
    /// A client for the region's STS, or for the endpoint that the variables or the profile name.
    ///
    /// # Errors
    /// The endpoint is no URL.
    pub(crate) fn new(ambient: &Ambient, config: &EnvConfigSections, region: &str) -> Result<Self, Error> {
        let names = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"];
        let set: Vec<_> = names.into_iter().filter_map(|name| Some((name, ambient.variable(name)?))).collect();
        let variables = Env::from_slice(&set);
        let endpoint = EnvConfigValue::new().env("AWS_ENDPOINT_URL").profile("endpoint_url").service_id("STS");
        let endpoint = endpoint.load(&variables, Some(config)).map(|(url, _)| url.into_owned());
        if let Some(url) = endpoint.as_ref().filter(|url| !is_web_address(url)) {
            let reason = "is no URL (`https://sts.eu-central-1.amazonaws.com`)";
            return Err(Error::Invalid { origin: "the endpoint of STS".to_owned(), value: url.clone(), reason });
        }
        let connector = connector(endpoint.as_deref());
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(CALL).build())
            // An answer that stalls is one that is late: the time-out is enough.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(RetryConfig::standard())
            .http_client(http_client_fn(move |_, _| connector.clone()));
        config.set_endpoint_url(endpoint.clone());
        let endpoint = endpoint.unwrap_or_else(|| format!("STS in {region}"));
        Ok(Self { client: Client::new(&config.build()), endpoint })
    }

    /// Who is asked, for an error: an endpoint's address or the region.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The ARN of whoever the keys belong to. AWS never denies it.
    ///
    /// # Errors
    /// The keys don't work, or there is no answer.
    pub(crate) async fn caller(&self, key: &AccessKey) -> Result<String, Failure> {
        let call = self.client.get_caller_identity().customize().config_override(signed_by(key));
        let answer = call.send().await.map_err(|error| Failure::of(&error))?;
        answer.arn.ok_or(Failure::Useless("the answer names no caller"))
    }

    /// Makes the call, with the code of a device if there is one.
    ///
    /// # Errors
    /// STS refused, or there is no answer.
    pub(crate) async fn session(
        &self,
        key: &AccessKey,
        call: &Call,
        mfa: Option<(&SerialNumber, &TokenCode)>,
    ) -> Result<Session, Failure> {
        let first = self.attempt(key, call, mfa).await;
        match first {
            // These two were refused before STS looked at the code, so the same code serves once more. The client has
            // learned the right time from the answer to the first.
            Err(Failure::Refused { code, message }) if mfa.is_some() && is_clock_skew(&code, &message) => {
                self.attempt(key, call, mfa).await
            }
            Err(Failure::NotSent(reason)) if mfa.is_some() && is_worth_another_try(&reason) => {
                tokio::time::sleep(PAUSE).await;
                self.attempt(key, call, mfa).await
            }
            other => other,
        }
    }

    async fn attempt(
        &self,
        key: &AccessKey,
        call: &Call,
        mfa: Option<(&SerialNumber, &TokenCode)>,
    ) -> Result<Session, Failure> {
        let serial = mfa.map(|(serial, _)| serial.as_str().to_owned());
        let code = mfa.map(|(_, code)| code.expose().to_owned());
        let mut config = signed_by(key);
        if mfa.is_some() {
            config = config.retry_config(RetryConfig::disabled());
        }
        let credentials = match call {
            Call::GetSessionToken { seconds } => {
                let call = self.client.get_session_token().duration_seconds(to_i32(*seconds));
                let call = call.set_serial_number(serial).set_token_code(code);
                let answer = call.customize().config_override(config).send().await;
                answer.map_err(|error| Failure::of(&error))?.credentials
            }
            Call::AssumeRole(Role { arn, session_name, external_id, seconds }) => {
                let call = self.client.assume_role().role_arn(arn).role_session_name(session_name);
                let call = call.duration_seconds(to_i32(*seconds)).set_external_id(external_id.clone());
                let call = call.set_serial_number(serial).set_token_code(code);
                let answer = call.customize().config_override(config).send().await;
                answer.map_err(|error| Failure::of(&error))?.credentials
            }
        };
        complete(credentials, ambient::now()).map_err(Failure::Useless)
    }
}

/// The region whose STS is asked where no region is known: the main one of the partition that the ARN belongs to.
pub(crate) fn home_region(arn: &str) -> &'static str {
    match arn.split(':').nth(1) {
        Some("aws-cn") => "cn-north-1",
        Some("aws-us-gov") => "us-gov-west-1",
        _ => "us-east-1",
    }
}

fn signed_by(key: &AccessKey) -> Builder {
    let provider = SharedCredentialsProvider::new(Credentials::from(key));
    aws_sdk_sts::Config::builder().credentials_provider(provider).retry_classifier(Hopeless)
}

/// The durations come from ranges far below the limit of the type that the SDK has for them.
fn to_i32(seconds: u32) -> i32 {
    seconds.try_into().unwrap_or(i32::MAX)
}

/// The session in an answer at `now` (seconds since the epoch); or what makes it useless: a part that is missing, empty
/// or not plain text, or an end that has passed.
fn complete(answer: Option<types::Credentials>, now: i64) -> Result<Session, &'static str> {
    const INCOMPLETE: &str = "the answer has no complete credentials";
    let types::Credentials { access_key_id, secret_access_key, session_token, expiration, .. } =
        answer.ok_or(INCOMPLETE)?;
    let secret = Secret::new(secret_access_key);
    let session_token = Secret::new(session_token);
    let expiration = Expiration::from_epoch(expiration.secs());
    let parts = [&access_key_id, secret.expose(), session_token.expose()];
    let sound = |part: &&str| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_graphic());
    if !parts.iter().all(sound) {
        return Err(INCOMPLETE);
    }
    if expiration.seconds_left(now) == 0 {
        return Err("the session in the answer has expired by this machine's clock");
    }
    Ok(Session { expiration, key: AccessKey { id: access_key_id, secret, session_token: Some(session_token) } })
}

impl Failure {
    /// Whether the next code of the device may succeed where this one didn't.
    pub(crate) fn concerns_the_code(&self) -> bool {
        matches!(self, Self::CodeRejected | Self::Lost(_))
    }

    fn of<E: ProvideErrorMetadata + StdError + 'static>(error: &SdkError<E>) -> Self {
        match error {
            SdkError::ConstructionFailure(_) => Self::NotSent(innermost(error)),
            SdkError::DispatchFailure(failure) => {
                let source = failure.as_connector_error().and_then(StdError::source);
                let hyper = source.and_then(|source| source.downcast_ref::<hyper_util::client::legacy::Error>());
                match (hyper, source) {
                    (Some(hyper), _) if hyper.is_connect() => Self::NotSent(innermost(hyper)),
                    (_, Some(source)) => Self::Lost(innermost(source)),
                    (_, None) => Self::Lost("the connection failed".to_owned()),
                }
            }
            SdkError::TimeoutError(_) => Self::Lost(format!("no answer within {} seconds", CALL.as_secs())),
            SdkError::ServiceError(answer)
                if answer.err().message().is_some_and(|message| message.contains("invalid MFA one time pass code")) =>
            {
                Self::CodeRejected
            }
            // A server that failed may have done so before or after it looked at the code.
            SdkError::ServiceError(answer) if answer.raw().status().is_server_error() => {
                Self::Lost(format!("it failed with HTTP status {}", answer.raw().status().as_u16()))
            }
            SdkError::ServiceError(answer) if answer.err().code().is_some() => Self::Refused {
                code: answer.err().code().unwrap_or_default().to_owned(),
                message: answer.err().message().unwrap_or_default().trim().to_owned(),
            },
            // The answer broke off.
            SdkError::ResponseError(_) => Self::Lost(innermost(error)),
            // What can't be read is not quoted: it may be half of a secret.
            _ => Self::Lost(
                "the answer is none of AWS's; a proxy or the network's sign-in page may have given it".to_owned(),
            ),
        }
    }
}

/// The last cause of an error, which is the one that says something: `connection refused`; without the link to its manual
/// that rustls adds to one.
fn innermost(error: &dyn StdError) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    let text = error.to_string();
    text.split(": https://docs.rs/").next().unwrap_or_default().to_owned()
}

/// AWS's two answers to a request whose date is too far from its own.
fn is_clock_skew(code: &str, message: &str) -> bool {
    code == "RequestTimeTooSkewed"
        || code == "SignatureDoesNotMatch"
            && ["Signature expired", "Signature not yet current"].iter().any(|start| message.starts_with(start))
}

/// Keeps the SDK from trying again what is [not worth it](is_worth_another_try), as it would with any connection error.
#[derive(Debug)]
struct Hopeless;

impl ClassifyRetry for Hopeless {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let worth_it = error.is_none_or(|error| match error.as_connector_error() {
            Some(error) => is_worth_another_try(&innermost(error)),
            None => !error.is_timeout_error(),
        });
        if worth_it { RetryAction::NoActionIndicated } else { RetryAction::RetryForbidden }
    }

    fn name(&self) -> &'static str {
        "hopeless"
    }
}

/// A certificate that isn't trusted now won't be in half a second, and who waited out a time-out waited long enough.
fn is_worth_another_try(reason: &str) -> bool {
    !reason.contains("certificate") && !reason.contains("timed out") && !reason.contains("timeout")
}

/// One connector for all calls: the system's certificates are read once, and the connection is kept.
fn connector(endpoint: Option<&str>) -> SharedHttpConnector {
    let local = endpoint.is_some_and(is_loopback);
    let plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http:"));
    let roots = if plain { TrustStore::empty() } else { TrustStore::default() };
    let proxy = if local { ProxyConfig::disabled() } else { ProxyConfig::from_env() };
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).build();
    let builder = Connector::builder().connector_settings(settings).proxy_config(proxy);
    let builder = builder.tls_provider(Provider::rustls(CryptoMode::Ring));
    SharedHttpConnector::new(match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => builder.tls_context(context).build(),
        Err(_) => builder.build(),
    })
}

fn is_web_address(url: &str) -> bool {
    let uri = url.parse::<Uri>().ok();
    uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
}

/// Whether the URL's host is this machine itself, to which no proxy leads.
fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["localhost", "127.", "[::1]"].iter().any(|local| host.starts_with(local))
}
