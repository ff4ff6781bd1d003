//! Checks what an operator signed: the signature of `ssh-keygen -Y sign` over a
//! [`Statement`], or over another text, by a key of our own file of allowed signers.
//!
//! The key that a signature brings along proves nothing. It only says which of our keys to check it with.

#[cfg(test)]
mod tests;

use cofferdam_engine::{
    signers::{self, NAMESPACE, NotAllowed, Signer, SignerProblem, SignersError},
    statement::{Signed, Statement, StatementError},
    time::Timestamp,
};
use ssh_key::{HashAlg, LineEnding, PublicKey, SshSig};

/// The keys whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signers(Vec<(Signer, PublicKey)>);

/// What was signed, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What was signed.
    pub statement: Statement,
    /// The line of our file that names who signed it.
    pub signer: Signer,
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// What was signed is no statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It is not what `ssh-keygen -Y sign` writes.
    #[error("it is no SSH signature")]
    Malformed,
    /// It was made for something else.
    #[error("it was made for `{made_for}`, not for {wanted}")]
    OtherNamespace {
        /// What for, as far as it is shown.
        made_for: String,
        /// What it is to be made for.
        wanted: &'static str,
    },
    /// The key is none of ours.
    #[error("the key {0} is none of the allowed signers'")]
    UnknownKey(String),
    /// The key is one of ours, and does not count now.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The bytes are not those that the key signed.
    #[error("it is not what {0} signed")]
    Wrong(String),
}

/// The public key that a signature says it is of, as OpenSSH writes it. It proves nothing.
///
/// # Errors
/// [`SignatureError`] when it is no signature.
pub fn key_of(signed: &Signed) -> Result<String, SignatureError> {
    let malformed = |_| SignatureError::Malformed;
    let signature = SshSig::from_pem(&signed.signature).map_err(malformed)?;
    let key = PublicKey::from(signature.public_key().clone());
    key.to_openssh().map_err(malformed)
}

/// A signature as ssh-keygen writes it. The same may be written in other ways that count, too.
///
/// # Errors
/// [`SignatureError`] when it is no signature.
pub fn rewritten(signature: &str) -> Result<String, SignatureError> {
    let malformed = |_| SignatureError::Malformed;
    let signature = SshSig::from_pem(signature).map_err(malformed)?;
    signature.to_pem(LineEnding::LF).map_err(malformed)
}

impl Signers {
    /// Reads a file of allowed signers; `file` is what its mistakes call it.
    ///
    /// # Errors
    /// Every line that cannot be read, when there is any, or that nobody is named.
    pub fn parse(file: &str, text: &str) -> Result<Self, SignersError> {
        let (mut keys, mut mistakes) = (Vec::new(), Vec::new());
        for signer in signers::parse(file, text)? {
            match PublicKey::from_openssh(&signer.key) {
                Ok(key) => keys.push((signer, key)),
                Err(_) => mistakes.push((signer.line, SignerProblem::NoKey)),
            }
        }
        match mistakes.is_empty() {
            true => Ok(Self(keys)),
            false => Err(SignersError {
                file: file.to_owned(),
                mistakes,
            }),
        }
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// [`SignatureError`]: why it does not count.
    pub fn check(&self, signed: &Signed, now: Timestamp) -> Result<Checked, SignatureError> {
        let statement = Statement::parse(&signed.statement)?;
        let signer = self.check_text(NAMESPACE, &signed.statement, &signed.signature, now)?;
        Ok(Checked {
            statement,
            signer: signer.clone(),
        })
    }

    /// Checks a signature over any text that was made for `namespace`, and says whose it is.
    ///
    /// # Errors
    /// [`SignatureError`]: why it does not count.
    pub fn check_text(
        &self,
        namespace: &'static str,
        text: &str,
        signature: &str,
        now: Timestamp,
    ) -> Result<&Signer, SignatureError> {
        let signature = SshSig::from_pem(signature).map_err(|_| SignatureError::Malformed)?;
        if signature.namespace() != namespace {
            return Err(SignatureError::OtherNamespace {
                made_for: signature.namespace().escape_debug().take(60).collect(),
                wanted: namespace,
            });
        }
        let (signer, key) = self.key_of(&signature, namespace, now)?;
        let wrong = |_| SignatureError::Wrong(signer.name.clone());
        key.verify(namespace, text.as_bytes(), &signature)
            .map_err(wrong)?;
        Ok(signer)
    }

    /// Our key that a signature says it is of. One that counts now, if it stands in several lines.
    fn key_of(
        &self,
        signature: &SshSig,
        namespace: &'static str,
        now: Timestamp,
    ) -> Result<(&Signer, &PublicKey), SignatureError> {
        let claimed = signature.public_key();
        let mut refusal = None;
        for (signer, key) in self.0.iter().filter(|(_, key)| key.key_data() == claimed) {
            match signer.may_sign_for(namespace, now) {
                Ok(()) => return Ok((signer, key)),
                Err(not_allowed) => refusal = Some(not_allowed),
            }
        }
        Err(match refusal {
            Some(not_allowed) => not_allowed.into(),
            None => SignatureError::UnknownKey(claimed.fingerprint(HashAlg::Sha256).to_string()),
        })
    }
}
