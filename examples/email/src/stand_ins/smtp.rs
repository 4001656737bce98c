//! A mail server that accepts everything: the part of RFC 5321 that a client needs to deliver a
//! message.

use std::{collections::BTreeMap, future::pending, io};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{Behaviour, Received, StandIn};

pub(super) async fn serve(listener: TcpListener, stand_in: StandIn) {
    while let Ok((stream, _)) = listener.accept().await {
        let session = Session {
            stream: BufReader::new(stream),
            stand_in: stand_in.clone(),
            mail: Received::default(),
        };
        // A client that disconnects is no error of the server.
        tokio::spawn(async move { session.run().await.is_ok() });
    }
}

/// The status with which a server refuses a message after it has read it (RFC 5321 §4.2.5).
const CONTENT: u16 = 554;

struct Session {
    stream: BufReader<TcpStream>,
    stand_in: StandIn,
    /// The parts of the message received so far.
    mail: Received,
}

impl Session {
    async fn run(mut self) -> io::Result<()> {
        self.say("220 stand-in ESMTP").await?;
        while let Some(line) = self.line().await? {
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match (verb.as_str(), self.stand_in.behaviour()) {
                ("EHLO", _) => {
                    self.say("250-stand-in\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN LOGIN")
                        .await?;
                }
                ("AUTH", Behaviour::Status(status @ (454 | 535))) => {
                    self.refuse(status, "told to refuse").await?
                }
                ("AUTH", _) => {
                    self.mail.credentials = BTreeMap::from([("auth".to_owned(), line)]);
                    self.say("235 2.7.0 welcome").await?;
                }
                ("RCPT", Behaviour::Status(status)) if status != CONTENT => {
                    self.refuse(status, "told to refuse").await?
                }
                ("RCPT", Behaviour::Saying(status, words)) => self.refuse(status, words).await?,
                ("MAIL" | "RCPT", _) => {
                    self.mail.to += &line;
                    self.mail.to += "\n";
                    self.say("250 2.1.0 ok").await?;
                }
                ("DATA", _) => {
                    self.say("354 go on").await?;
                    if !self.data().await? {
                        return Ok(());
                    }
                }
                ("QUIT", _) => return self.say("221 2.0.0 bye").await,
                ("NOOP" | "RSET", _) => self.say("250 2.0.0 ok").await?,
                _ => self.say("502 5.5.1 not known here").await?,
            }
        }
        Ok(())
    }

    /// Reads the message; returns `false` if the connection is to be cut.
    async fn data(&mut self) -> io::Result<bool> {
        let mut body = String::new();
        loop {
            match self.line().await? {
                None => return Ok(false),
                Some(line) if line == "." => break,
                Some(line) => {
                    // A dot at the beginning of a line is sent doubled (RFC 5321 §4.5.2).
                    body += line.strip_prefix('.').unwrap_or(&line);
                    body += "\r\n";
                }
            }
        }
        let behaviour = self.stand_in.behaviour();
        if behaviour == Behaviour::Status(CONTENT) {
            self.refuse(CONTENT, "told to refuse").await?;
            return Ok(true);
        }
        self.stand_in.take(Received { body, ..std::mem::take(&mut self.mail) });
        match behaviour {
            Behaviour::Cut => return Ok(false),
            Behaviour::Hang => pending().await,
            _ => self.say("250 2.0.0 queued").await?,
        }
        Ok(true)
    }

    async fn refuse(&mut self, status: u16, words: &str) -> io::Result<()> {
        self.say(&format!("{status} {words}")).await
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await
    }

    /// Returns the next line without its end; `None` if the client has disconnected.
    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let read = self.stream.read_until(b'\n', &mut line).await?;
        Ok((read > 0)
            .then(|| String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()))
    }
}
