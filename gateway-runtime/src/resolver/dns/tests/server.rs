//! A scripted server of DNS on loopback, over UDP and TCP.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use hickory_resolver::proto::{
    op::{Message, OpCode, Query, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, CNAME, SOA, SRV},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::watch,
    task::JoinSet,
};

/// The reply to questions for one name and type.
#[derive(Clone)]
pub(super) enum Reply {
    Records(Vec<Record>),
    /// The same over TCP; over UDP, an empty reply that is truncated.
    Truncated(Vec<Record>),
    /// There are none: NXDOMAIN, or NOERROR without records. The TTL of that is in a record SOA.
    None(ResponseCode, Option<u32>),
    /// An error, also as NOERROR without any record.
    Code(ResponseCode),
    /// An error for questions with EDNS.
    NoEdns(Vec<Record>),
    Silence,
    /// The id of the question, and these bytes.
    Bytes(Vec<u8>),
    /// The name of another server.
    Referral,
}

#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) name: String,
    pub(super) record_type: RecordType,
    pub(super) is_tcp: bool,
}

#[derive(Default)]
struct Script {
    replies: Mutex<HashMap<(String, RecordType), Reply>>,
    questions: watch::Sender<Vec<Question>>,
}

pub(super) struct DnsServer {
    pub(super) address: SocketAddr,
    script: Arc<Script>,
    tasks: JoinSet<()>,
}

impl DnsServer {
    pub(super) async fn start() -> Self {
        // An address of its own: no other program takes its ports, also while the server is dead.
        let ip = Ipv4Addr::new(127, fastrand::u8(1..=250), fastrand::u8(..), fastrand::u8(1..=250));
        Self::start_at(SocketAddr::from((ip, 0))).await
    }

    pub(super) async fn start_at(address: SocketAddr) -> Self {
        let udp = UdpSocket::bind(address).await.unwrap();
        let address = udp.local_addr().unwrap();
        Self::serve(address, udp, TcpListener::bind(address).await.unwrap())
    }

    fn serve(address: SocketAddr, udp: UdpSocket, tcp: TcpListener) -> Self {
        let script = Arc::new(Script::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_udp(udp, script.clone()));
        tasks.spawn(serve_tcp(tcp, script.clone()));
        Self { address, script, tasks }
    }

    pub(super) fn set(&self, name: &str, record_type: RecordType, reply: Reply) {
        self.script.replies.lock().unwrap().insert((name.to_owned(), record_type), reply);
    }

    /// Sets A records, and that there are no AAAA records.
    pub(super) fn set_a(&self, name: &str, ttl: u32, hosts: impl IntoIterator<Item = u8>) {
        let records = hosts.into_iter().map(|host| a(name, ttl, host)).collect();
        self.set(name, RecordType::A, Reply::Records(records));
        self.set(name, RecordType::AAAA, Reply::None(ResponseCode::NoError, Some(3_600)));
    }

    /// Sets the reply for both families.
    pub(super) fn set_both(&self, name: &str, reply: Reply) {
        self.set(name, RecordType::A, reply.clone());
        self.set(name, RecordType::AAAA, reply);
    }

    pub(super) fn questions(&self) -> Vec<Question> {
        self.script.questions.borrow().clone()
    }

    pub(super) fn count(&self, name: &str, record_type: RecordType) -> usize {
        let questions = self.script.questions.borrow();
        questions.iter().filter(|q| q.name == name && q.record_type == record_type).count()
    }

    /// Stops the server: its sockets are closed.
    pub(super) async fn stop(mut self) -> SocketAddr {
        self.tasks.shutdown().await;
        self.address
    }
}

impl Script {
    /// Returns the bytes of the reply to a question.
    fn reply(&self, bytes: &[u8], is_tcp: bool) -> Option<Vec<u8>> {
        let question = Message::from_vec(bytes).unwrap();
        let query = question.queries[0].clone();
        let key = (query.name().to_ascii().to_lowercase(), query.query_type());
        let (name, record_type) = key.clone();
        self.questions.send_modify(|questions| {
            questions.push(Question { name, record_type, is_tcp });
        });
        let nothing = Reply::None(ResponseCode::NXDomain, None);
        let reply = self.replies.lock().unwrap().get(&key).cloned().unwrap_or(nothing);
        encode(reply, &question, query, is_tcp)
    }
}

fn encode(reply: Reply, question: &Message, query: Query, is_tcp: bool) -> Option<Vec<u8>> {
    let mut message = Message::response(question.metadata.id, OpCode::Query);
    message.add_query(query);
    match reply {
        Reply::Records(records) => drop(message.add_answers(records)),
        Reply::Truncated(records) if is_tcp => drop(message.add_answers(records)),
        Reply::Truncated(_) => message.metadata.truncation = true,
        Reply::None(code, ttl) => {
            message.metadata.response_code = code;
            let root = Name::root();
            let soa = |ttl| RData::SOA(SOA::new(root.clone(), root.clone(), 1, 1, 1, 1, ttl));
            message.add_authorities(ttl.map(|ttl| Record::from_rdata(root.clone(), ttl, soa(ttl))));
        }
        Reply::Code(code) => message.metadata.response_code = code,
        Reply::NoEdns(_) if question.edns.is_some() => {
            message.metadata.response_code = ResponseCode::FormErr;
        }
        Reply::NoEdns(records) => drop(message.add_answers(records)),
        Reply::Silence => return None,
        Reply::Bytes(bytes) => {
            return Some([&question.metadata.id.to_be_bytes()[..], &bytes].concat());
        }
        Reply::Referral => {
            let ns = hickory_resolver::proto::rr::rdata::NS(name("ns.test."));
            message.add_authority(Record::from_rdata(name("test."), 60, RData::NS(ns)));
        }
    }
    Some(message.to_vec().unwrap())
}

async fn serve_udp(socket: UdpSocket, script: Arc<Script>) {
    let mut buffer = [0; 4_096];
    while let Ok((len, peer)) = socket.recv_from(&mut buffer).await {
        if let Some(reply) = script.reply(&buffer[..len], false) {
            socket.send_to(&reply, peer).await.unwrap();
        }
    }
}

async fn serve_tcp(listener: TcpListener, script: Arc<Script>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let script = script.clone();
        connections.spawn(async move { serve_connection(stream, &script).await.ok() });
    }
}

async fn serve_connection(mut stream: TcpStream, script: &Script) -> std::io::Result<()> {
    loop {
        let mut question = vec![0; stream.read_u16().await?.into()];
        stream.read_exact(&mut question).await?;
        if let Some(reply) = script.reply(&question, true) {
            stream.write_u16(reply.len().try_into().unwrap()).await?;
            stream.write_all(&reply).await?;
        }
    }
}

pub(super) fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

/// The A record of `10.0.0.{host}`.
pub(super) fn a(owner: &str, ttl: u32, host: u8) -> Record {
    Record::from_rdata(name(owner), ttl, RData::A(A::new(10, 0, 0, host)))
}

/// The AAAA record of `fd00::{host}`.
pub(super) fn aaaa(owner: &str, ttl: u32, host: u16) -> Record {
    Record::from_rdata(name(owner), ttl, RData::AAAA(AAAA::new(0xfd00, 0, 0, 0, 0, 0, 0, host)))
}

pub(super) fn cname(owner: &str, ttl: u32, target: &str) -> Record {
    Record::from_rdata(name(owner), ttl, RData::CNAME(CNAME(name(target))))
}

pub(super) fn srv(owner: &str, priority: u16, weight: u16, port: u16, target: &str) -> Record {
    let srv = SRV::new(priority, weight, port, name(target));
    Record::from_rdata(name(owner), 5, RData::SRV(srv))
}
