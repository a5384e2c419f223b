//! From what was asked to a session: options and surroundings become a request, the request a plan, the plan a session.
//!
//! The straight line that `env` and `exec` share. It asks for a token code where the plan says so.

use std::future::Future;
use std::io::Read;

use crate::ambient::{self, Ambient};
use crate::cli::SessionOptions;
use crate::credentials::{AccessKey, Secret, Session};
use crate::environment::{
    self, AWS_DEFAULT_PROFILE, AWS_DEFAULT_REGION, AWS_PROFILE, AWS_REGION, AWSMFA_TOKEN_CODE, Change,
};
use crate::error::Error;
use crate::held::{self, Held, Kind, Marker, SetBy};
use crate::mfa::{self, SerialNumber, TokenCode};
use crate::plan::{self, Call, Device, Plan, Request};
use crate::profile::Profiles;
use crate::signal;
use crate::sts::{Failure, Sts, home_region};
use crate::terminal::{self, Terminal};

/// How many codes a person may try before the call has failed.
const TRIES: usize = 3;
/// The call that tells whose the keys are, before any code goes out.
pub(crate) const IDENTIFY: &str = "GetCallerIdentity";

/// A request with everything that was read to answer it.
pub(crate) struct Order<'a> {
    options: &'a SessionOptions,
    ambient: &'a Ambient,
    held: Option<Held>,
}

/// A session that was bought, with what has to be known to put it into an environment.
pub(crate) struct Bought {
    session: Session,
    plan: Plan,
    marker: Marker,
}

impl<'a> Order<'a> {
    /// What these options ask for in these surroundings.
    pub(crate) fn new(options: &'a SessionOptions, ambient: &'a Ambient) -> Self {
        Self { options, ambient, held: Held::of(ambient) }
    }

    /// The profile that was named, by option or by `AWS_PROFILE`.
    fn named_profile(&self) -> Option<&str> {
        self.options.profile.as_deref().or_else(|| self.ambient.variable(AWS_PROFILE))
    }

    /// The session in the environment, if it is what is asked for and lasts at least `seconds` more.
    pub(crate) fn held(&self, seconds: u64) -> Option<&Held> {
        let options = self.options;
        // A code, a device or a length of time on the command line ask for a new session.
        let new = [&options.token_code, &options.serial_number, &options.duration_seconds];
        let new = new.into_iter().chain([&options.role_session_name, &options.external_id]).any(Option::is_some);
        self.held.as_ref().filter(|held| {
            let profile = self.named_profile().is_none_or(|name| name == held.profile);
            // Who names a profile without a role wants the profile's own rights, not those of a role taken with it.
            let role = options.role_arn.is_some() || self.named_profile().is_some();
            let role = !role || options.role_arn == held.marker.role;
            !new && profile && role && held.expiration.seconds_left(ambient::now()) >= seconds
        })
    }

    /// The profile's name: the one named, the held session's, `AWS_DEFAULT_PROFILE`, `default`.
    pub(crate) fn profile(&self) -> &str {
        self.named_profile()
            .or_else(|| self.held.as_ref().map(|held| held.profile.as_str()))
            .or_else(|| self.ambient.variable(AWS_DEFAULT_PROFILE))
            .unwrap_or("default")
    }

    fn request(&self) -> Request {
        let Self { options, ambient, .. } = self;
        let variable = |name| ambient.variable(name).map(str::to_owned);
        let own_region = self.region_variables().into_iter().find(|(_, set_by)| *set_by == SetBy::Person);
        let own_region = own_region.and_then(|(name, _)| Some((name, variable(name)?)));
        Request {
            profile: self.profile().to_owned(),
            serial_number: options.serial_number.clone(),
            user_serial_number: variable("AWS_MFA_SERIAL"),
            duration: options.duration_seconds.clone(),
            user_duration: variable("AWSMFA_DURATION_SECONDS"),
            role_arn: options.role_arn.clone(),
            role_session_name: options.role_session_name.clone(),
            external_id: options.external_id.clone(),
            region: options.region.clone().map(|region| ("--region", region)).or(own_region),
            code_given: options.token_code.is_some(),
        }
    }

    fn region_variables(&self) -> [(&'static str, SetBy); 2] {
        held::region_variables(self.ambient, Marker::of(self.ambient).as_ref())
    }

    /// Reads the profiles and makes the plan. Nobody is asked for anything.
    ///
    /// # Errors
    /// The files can't be read, or the request can't be met.
    pub(crate) fn plan(&self) -> Result<(Profiles, Plan), Error> {
        let profiles = Profiles::load(self.ambient, self.profile())?;
        let plan = plan::resolve(&profiles, &self.request())?;
        Ok((profiles, plan))
    }

    /// Buys the session: makes the plan, asks for the code, makes the calls.
    ///
    /// # Errors
    /// Whatever stands in the way, or the signal that ended the wait.
    pub(crate) fn buy(&self) -> Result<Bought, Error> {
        let (profiles, plan) = self.plan()?;
        let sts = Sts::new(self.ambient, profiles.sdk_config(), sts_region(&plan))?;
        let code = match plan.device {
            Device::None => None,
            Device::Known(_) | Device::Derived => Some(Code::find(self.options, self.ambient)?),
        };
        let key = access_key(&profiles, &plan)?;
        let (session, serial) = until_signal(async {
            let serial = device(&sts, &key, &plan).await?;
            let mfa = serial.as_ref().zip(code);
            let session = first_call(&sts, &key, &plan, mfa).await?;
            Ok((chained_calls(&sts, session, &plan).await?, serial))
        })?;
        let marker = self.marker(&session, &plan, serial.as_ref());
        Ok(Bought { session, plan, marker })
    }

    /// What is to be remembered of the session. A region variable that the person set stays theirs, unless `--region` asks
    /// for another value.
    fn marker(&self, session: &Session, plan: &Plan, serial: Option<&SerialNumber>) -> Marker {
        let [region, default_region] = self.region_variables().map(|(_, set_by)| {
            plan.region.clone().filter(|_| set_by != SetBy::Person || self.options.region.is_some())
        });
        let role = plan.role();
        Marker {
            key: session.key.id.clone(),
            kind: if role.is_some() { Kind::Role } else { Kind::User },
            source_key: plan.access_key_id.clone(),
            device: serial.map(ToString::to_string),
            account: role
                .map_or(serial.and_then(SerialNumber::account), |role| mfa::account(&role.arn))
                .map(str::to_owned),
            role: self.options.role_arn.clone(),
            region,
            default_region,
            ..Marker::default()
        }
    }

    /// The region variables that an earlier session left behind.
    pub(crate) fn stale_regions(&self) -> Vec<&'static str> {
        let by_awsmfa = self.region_variables().into_iter().filter(|(_, set_by)| *set_by == SetBy::Awsmfa);
        by_awsmfa.map(|(name, _)| name).collect()
    }
}

impl Bought {
    /// Remembers what is given back later: to `use -` the profile before this one, to `off` what this session takes from
    /// the person's own variables. `before` is the environment without any session of awsmfa's.
    pub(crate) fn remember(&mut self, before: &Ambient, held: Option<String>, previous: Option<String>) {
        let Marker { region, default_region, .. } = &self.marker;
        let mut replaced = vec![AWS_PROFILE];
        replaced.extend(region.is_some().then_some(AWS_REGION));
        replaced.extend(default_region.is_some().then_some(AWS_DEFAULT_REGION));
        let taken = replaced.into_iter().filter_map(|name| Some((name, before.variable(name)?.to_owned())));
        self.marker.taken = taken.collect();
        let own = before.variable(AWS_PROFILE).map(str::to_owned);
        // To renew a session is no change of profile.
        self.marker.previous = held.or(own).filter(|name| *name != self.plan.profile).or(previous);
    }

    /// Says on standard error whose session it is and how long it lasts.
    pub(crate) fn announce(&self) {
        let account = self.marker.account.as_ref().map_or(String::new(), |account| format!(", account {account}"));
        let device = self.marker.device.as_ref().map_or(String::new(), |device| format!(", MFA device {device}"));
        let role = self.plan.role().map_or(String::new(), |role| format!(", role {}", role.arn));
        terminal::say(&format!("awsmfa: profile {}{account}{role}{device}", self.plan.profile));
        let minutes = self.session.expiration.seconds_left(ambient::now()).div_ceil(60);
        terminal::say(&format!("awsmfa: expires {}, in {}", self.session.expiration, plan::span(minutes * 60)));
    }

    /// The variables to set and to clear, the region variables in `stale` among the latter.
    pub(crate) fn changes(self, stale: &[&'static str]) -> Vec<Change> {
        environment::of_session(self.session, &self.plan.profile, &self.marker, stale)
    }

    /// The variables for an environment other than this one, where nothing stands yet: the region comes along even where a
    /// variable of the person's own holds it here.
    pub(crate) fn elsewhere(mut self) -> Vec<Change> {
        self.marker.region.clone_from(&self.plan.region);
        self.marker.default_region.clone_from(&self.plan.region);
        self.changes(&[])
    }
}

/// Where a token code comes from.
enum Code {
    /// It came with the call, and serves once.
    Given(TokenCode),
    /// A person is asked.
    Ask(Terminal),
}

impl Code {
    /// The code of the option, of standard input or of the variable; else the terminal to ask on.
    fn find(options: &SessionOptions, ambient: &Ambient) -> Result<Self, Error> {
        let (origin, text) = match (&options.token_code, ambient.variable(AWSMFA_TOKEN_CODE)) {
            (Some(option), _) if option == "-" => ("standard input", line_of_stdin()?),
            (Some(option), _) => ("`--token-code`", Secret::new(option.clone())),
            (None, Some(variable)) => ("`AWSMFA_TOKEN_CODE`", Secret::new(variable.to_owned())),
            (None, None) => return Terminal::open().map(Self::Ask).map_err(Error::NoTerminal),
        };
        TokenCode::parse(&text).map(Self::Given).ok_or(Error::CodeMalformed { origin })
    }
}

/// The first line of standard input, and not a byte more: the rest is for the command that `exec` runs. What is longer
/// than any code is not read to its end.
fn line_of_stdin() -> Result<Secret, Error> {
    ambient::stdin().and_then(|stdin| terminal::read_line(stdin.take(64))).map_err(Error::Stdin)
}

/// The region whose STS is asked: the session's own, else the main one of the partition that is in play.
fn sts_region(plan: &Plan) -> &str {
    let arn = match (plan.role(), &plan.device) {
        (Some(role), _) => &role.arn,
        (None, Device::Known(serial)) => serial.as_str(),
        (None, Device::None | Device::Derived) => "",
    };
    plan.region.as_deref().unwrap_or_else(|| home_region(arn))
}

/// The signer's keys, as the profile holds them.
fn access_key(profiles: &Profiles, plan: &Plan) -> Result<AccessKey, Error> {
    let profile = profiles.get(&plan.signer)?;
    let secret = |name| profile.get(name).map(|setting| Secret::new(setting.value.to_owned()));
    Ok(AccessKey {
        id: plan.access_key_id.clone(),
        secret: secret("aws_secret_access_key").unwrap_or_else(|| Secret::new(String::new())),
        session_token: secret("aws_session_token"),
    })
}

/// The device's serial number; asks AWS whose the keys are where it has to be derived.
async fn device(sts: &Sts, key: &AccessKey, plan: &Plan) -> Result<Option<SerialNumber>, Error> {
    match &plan.device {
        Device::None => Ok(None),
        Device::Known(serial) => Ok(Some(serial.clone())),
        Device::Derived => {
            let caller = sts.caller(key).await.map_err(|failure| failed(IDENTIFY, failure, sts, plan))?;
            match SerialNumber::derive(&caller) {
                Some(serial) => Ok(Some(serial)),
                None => Err(Error::NoUser { profile: plan.signer.clone(), caller }),
            }
        }
    }
}

/// The plan's first call: with the code that came along, or with up to three that a person types.
async fn first_call(
    sts: &Sts,
    key: &AccessKey,
    plan: &Plan,
    mfa: Option<(&SerialNumber, Code)>,
) -> Result<Session, Error> {
    let attempted = match &plan.first {
        Call::GetSessionToken { .. } => "GetSessionToken".to_owned(),
        Call::AssumeRole(role) => format!("AssumeRole {}", role.arn),
    };
    let result = match mfa {
        None => sts.session(key, &plan.first, None).await,
        Some((serial, Code::Given(code))) => sts.session(key, &plan.first, Some((serial, &code))).await,
        Some((serial, Code::Ask(terminal))) => {
            let mut tries = 1;
            loop {
                let code = ask(&terminal, plan, serial).await?;
                match sts.session(key, &plan.first, Some((serial, &code))).await {
                    Err(failure) if tries < TRIES && failure.concerns_the_code() => {
                        tries += 1;
                        terminal
                            .say(&format!("awsmfa: {}", failed(&attempted, failure, sts, plan)))
                            .map_err(Error::Terminal)?;
                    }
                    result => break result,
                }
            }
        }
    };
    result.map_err(|failure| failed(&attempted, failure, sts, plan))
}

/// Asks until the answer is six digits.
async fn ask(terminal: &Terminal, plan: &Plan, serial: &SerialNumber) -> Result<TokenCode, Error> {
    let account = serial.account().map_or(String::new(), |account| format!(", account {account}"));
    let prompt = format!("token code for profile {}{account}, device {serial}: ", plan.profile);
    loop {
        let line = terminal.ask(&prompt).await.map_err(Error::Terminal)?;
        match TokenCode::parse(&line) {
            Some(code) => return Ok(code),
            None => terminal.say("awsmfa: a token code is six digits").map_err(Error::Terminal)?,
        }
    }
}

/// The roles after the first call, each with the keys of the call before.
async fn chained_calls(sts: &Sts, session: Session, plan: &Plan) -> Result<Session, Error> {
    let mut session = session;
    for role in &plan.chain {
        let call = Call::AssumeRole(role.clone());
        let next = sts.session(&session.key, &call, None).await;
        session = next.map_err(|failure| failed(&format!("AssumeRole {}", role.arn), failure, sts, plan))?;
    }
    Ok(session)
}

fn failed(attempted: &str, failure: Failure, sts: &Sts, plan: &Plan) -> Error {
    let code_sent = plan.device != Device::None && attempted != IDENTIFY;
    explained(attempted, failure, sts, code_sent, |code, message| Error::Refused {
        attempted: attempted.to_owned(),
        code,
        message,
        profile: plan.profile.clone(),
        signer: plan.signer.clone(),
        device: plan.device.clone(),
    })
}

/// The error that a failed call is; `refused` makes the one of AWS's own code and message.
pub(crate) fn explained(
    attempted: &str,
    failure: Failure,
    sts: &Sts,
    code_sent: bool,
    refused: impl FnOnce(String, String) -> Error,
) -> Error {
    let (attempted, endpoint) = (attempted.to_owned(), sts.endpoint().to_owned());
    match failure {
        Failure::CodeRejected => Error::CodeRejected,
        Failure::Refused { code, message } => refused(code, message),
        Failure::NotSent(reason) => Error::Unreachable { attempted, endpoint, reason },
        Failure::Lost(reason) => Error::NoAnswer { attempted, endpoint, reason, code_sent },
        Failure::Useless(reason) => Error::NoAnswer { attempted, endpoint, reason: reason.to_owned(), code_sent },
    }
}

/// Runs the work, unless a signal ends the process first: then everything that the work holds is dropped, the prompt's
/// terminal mode with it.
///
/// # Errors
/// The work's own, or the signal.
pub(crate) fn until_signal<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let result = runtime.block_on(async {
        tokio::select! {
            biased;
            signal = signal::termination() => Err(signal.map_or_else(Error::Runtime, Error::Interrupted)),
            result = work => result,
        }
    });
    // A look-up of a name that hangs is not waited for.
    runtime.shutdown_background();
    result
}
