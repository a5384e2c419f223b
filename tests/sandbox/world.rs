//! Who and what exists: users with their keys and MFA devices, and roles with their trust. Data without behaviour.
//!
//! An ARN is the whole identity: account, partition, path and name are read out of it, never stored beside it.

/// Everything the server knows when it starts.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// IAM users and root users of all accounts.
    pub(crate) users: Vec<User>,
    /// Roles of all accounts.
    pub(crate) roles: Vec<Role>,
    /// The length in characters of the session tokens that are issued, at least 32. AWS promises no length.
    pub(crate) session_token_length: usize,
}

/// An IAM user, or the root user of an account, with one access key.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// `arn:aws:iam::123456789012:user/path/name`, or `…:root`.
    pub(crate) arn: String,
    /// The long-term key, `AKIA…`.
    pub(crate) access_key_id: String,
    /// Its secret.
    pub(crate) secret: String,
    /// Whether the key is active; a deactivated one is as good as unknown.
    pub(crate) active: bool,
    /// The MFA devices, in the order in which IAM lists them.
    pub(crate) devices: Vec<Device>,
    /// Whether the user's policies allow `iam:ListMFADevices` on the user itself.
    pub(crate) may_list_mfa: bool,
}

/// An MFA device.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    /// The ARN of a virtual device or FIDO key, or the number on a hardware token.
    pub(crate) serial: String,
    /// The raw TOTP secret; `None` for a FIDO key, which has no codes and can't be used with STS.
    pub(crate) secret: Option<Vec<u8>>,
}

/// A role and its trust policy.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// `arn:aws:iam::123456789012:role/name`.
    pub(crate) arn: String,
    /// The longest session, in seconds; 3600–43200 on AWS.
    pub(crate) max_session_duration: i64,
    /// Whether the trust policy wants `aws:MultiFactorAuthPresent`.
    pub(crate) requires_mfa: bool,
    /// The external ID that the trust policy wants.
    pub(crate) external_id: Option<String>,
    /// Who may assume it: ARNs of users and roles, or an account's `…:root` for all in that account.
    pub(crate) trusts: Vec<String>,
}

impl User {
    /// A user with an active key and no device, who may list its own devices.
    pub(crate) fn new(arn: &str, access_key_id: &str, secret: &str) -> Self {
        Self {
            arn: arn.into(),
            access_key_id: access_key_id.into(),
            secret: secret.into(),
            active: true,
            devices: Vec::new(),
            may_list_mfa: true,
        }
    }

    /// Adds a device that shows codes. Its TOTP secret is the serial number, so that no two devices show the same.
    pub(crate) fn with_device(mut self, serial: &str) -> Self {
        self.devices.push(Device { serial: serial.into(), secret: Some(serial.as_bytes().to_vec()) });
        self
    }

    /// Adds a FIDO key.
    pub(crate) fn with_fido_key(mut self, serial: &str) -> Self {
        self.devices.push(Device { serial: serial.into(), secret: None });
        self
    }

    /// Denies `iam:ListMFADevices`.
    pub(crate) fn denied_list_mfa(mut self) -> Self {
        self.may_list_mfa = false;
        self
    }
}

impl Role {
    /// A role of at most an hour that trusts `trusts`, with no condition.
    pub(crate) fn new(arn: &str, trusts: &str) -> Self {
        Self {
            arn: arn.into(),
            max_session_duration: 3600,
            requires_mfa: false,
            external_id: None,
            trusts: vec![trusts.into()],
        }
    }

    /// Allows sessions of up to `seconds`.
    pub(crate) fn lasting(mut self, seconds: i64) -> Self {
        self.max_session_duration = seconds;
        self
    }

    /// Wants MFA.
    pub(crate) fn with_mfa(mut self) -> Self {
        self.requires_mfa = true;
        self
    }

    /// Wants an external ID.
    pub(crate) fn with_external_id(mut self, id: &str) -> Self {
        self.external_id = Some(id.into());
        self
    }
}

impl World {
    /// The user of that name; `root` for the first root user.
    pub(crate) fn user(&self, name: &str) -> &User {
        self.users.iter().find(|user| self::name(&user.arn) == name).expect("a user of this world")
    }

    /// The same, to be changed.
    pub(crate) fn user_mut(&mut self, name: &str) -> &mut User {
        self.users.iter_mut().find(|user| self::name(&user.arn) == name).expect("a user of this world")
    }

    /// The device with that serial number, whosoever it is.
    pub(crate) fn device(&self, serial: &str) -> Option<&Device> {
        self.users.iter().flat_map(|user| &user.devices).find(|device| device.serial == serial)
    }
}

impl Default for World {
    /// The world of the tests and of the demo; `config` and `credentials` beside this file are its AWS files.
    fn default() -> Self {
        const ACCOUNT: &str = "arn:aws:iam::123456789012:root";
        Self {
            users: vec![
                User::new(
                    "arn:aws:iam::123456789012:user/miket92",
                    "AKIAIOSFODNN7EXAMPLE",
                    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                )
                .with_device("arn:aws:iam::123456789012:mfa/miket92"),
                // A path, which is no part of the device's ARN.
                User::new(
                    "arn:aws:iam::123456789012:user/team/blue/alice",
                    "AKIAI44QH8DHBEXAMPLE",
                    "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
                )
                .with_device("arn:aws:iam::123456789012:mfa/alice"),
                // The device isn't named after the user.
                User::new(
                    "arn:aws:iam::123456789012:user/bob",
                    "AKIABOB2BOB3BEXAMPLE",
                    "bob+2Bob/3BobUtnFEMI/K7MDENGbPEXAMPLEKEY",
                )
                .with_device("arn:aws:iam::123456789012:mfa/bobs-phone"),
                // A hardware token.
                User::new(
                    "arn:aws:iam::123456789012:user/carol",
                    "AKIACAROL23HWEXAMPLE",
                    "carol/2Carol+3UtnFEMI/K7MDENGbEXAMPLEKEY",
                )
                .with_device("GAHT12345678"),
                // Several devices, the first of which can't be used with STS.
                User::new(
                    "arn:aws:iam::123456789012:user/dave",
                    "AKIADAVE234XXEXAMPLE",
                    "dave+2Dave/3UtnFEMI/K7MDENGbPxEXAMPLEKEY",
                )
                .with_fido_key("arn:aws:iam::123456789012:u2f/user/dave/key-A1B2C3D4E5F6G7H8I9J0K1L2M3")
                .with_device("arn:aws:iam::123456789012:mfa/dave-laptop")
                .with_device("arn:aws:iam::123456789012:mfa/dave-phone"),
                // Can't find out which devices there are.
                User::new(
                    "arn:aws:iam::123456789012:user/erin",
                    "AKIAERIN234XXEXAMPLE",
                    "erin/2Erin+3UtnFEMI/K7MDENGbPxEXAMPLEKEY",
                )
                .with_device("arn:aws:iam::123456789012:mfa/erin")
                .denied_list_mfa(),
                User::new(
                    "arn:aws:iam::210987654321:root",
                    "AKIAROOT234XXEXAMPLE",
                    "root+2Root/3UtnFEMI/K7MDENGbPxEXAMPLEKEY",
                )
                .with_device("arn:aws:iam::210987654321:mfa/root-account-mfa-device"),
                User::new(
                    "arn:aws-cn:iam::111122223333:user/wei",
                    "AKIAWEI2345XXEXAMPLE",
                    "wei/2Wei+34UtnFEMI/K7MDENGbPxREXAMPLEKEY",
                )
                .with_device("arn:aws-cn:iam::111122223333:mfa/wei"),
            ],
            roles: vec![
                Role::new("arn:aws:iam::123456789012:role/deploy", ACCOUNT).with_mfa(),
                Role::new("arn:aws:iam::123456789012:role/admin", ACCOUNT).with_mfa().lasting(43200),
                Role::new("arn:aws:iam::210987654321:role/partner", ACCOUNT)
                    .with_mfa()
                    .with_external_id("partner-4711"),
                Role::new("arn:aws:iam::123456789012:role/readonly", ACCOUNT),
                // Reached through `deploy` alone. It would allow twelve hours; role chaining allows one.
                Role::new("arn:aws:iam::123456789012:role/release", "arn:aws:iam::123456789012:role/deploy")
                    .lasting(43200),
            ],
            session_token_length: 700,
        }
    }
}

/// `aws`, `aws-cn` or `aws-us-gov`.
pub(crate) fn partition(arn: &str) -> &str {
    arn.split(':').nth(1).unwrap_or_default()
}

/// The twelve digits of the account.
pub(crate) fn account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// The name without its path; `root` for a root user.
pub(crate) fn name(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or_default()
}

/// Whether this is an account's root user, or, in a trust policy, the account as a whole.
pub(crate) fn is_root(arn: &str) -> bool {
    arn.ends_with(":root")
}
