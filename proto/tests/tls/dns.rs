//! A DNS server that knows SRV records, on loopback: over UDP and TCP at one port.

use simple_dns::{
    CLASS, Name, Packet, PacketFlag, RCODE, ResourceRecord,
    rdata::{RData, SRV},
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UdpSocket},
    task::JoinHandle,
};

/// What the server knows and does, and how often it was asked.
#[derive(Default)]
pub(crate) struct Zone {
    /// Priority, weight, port and target of each record, by name.
    pub(crate) records: BTreeMap<&'static str, Vec<(u16, u16, u16, String)>>,
    pub(crate) ttl: u32,
    /// It is asked and says nothing.
    pub(crate) is_away: bool,
    /// Before each answer over UDP comes one to another question.
    pub(crate) is_spoofed: bool,
    pub(crate) asked: u32,
}

/// A running server; gone when dropped.
pub(crate) struct Dns {
    pub(crate) address: SocketAddr,
    pub(crate) zone: Arc<Mutex<Zone>>,
    tasks: [JoinHandle<()>; 2],
}

impl Dns {
    pub(crate) async fn start(zone: Zone) -> Self {
        let (tcp, udp) = sockets().await;
        let address = tcp.local_addr().unwrap();
        let zone = Arc::new(Mutex::new(zone));
        let tasks = [
            tokio::spawn(over_udp(udp, Arc::clone(&zone))),
            tokio::spawn(over_tcp(tcp, Arc::clone(&zone))),
        ];
        Self {
            address,
            zone,
            tasks,
        }
    }

    pub(crate) fn asked(&self) -> u32 {
        self.zone.lock().unwrap().asked
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Zone)) {
        change(&mut self.zone.lock().unwrap());
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Both kinds of one port. Another program may have the port of one of them.
async fn sockets() -> (TcpListener, UdpSocket) {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            return (tcp, udp);
        }
    }
}

async fn over_udp(socket: UdpSocket, zone: Arc<Mutex<Zone>>) {
    loop {
        let mut question = [0; 512];
        let (length, asker) = socket.recv_from(&mut question).await.unwrap();
        let (answer, is_spoofed) = {
            let mut zone = zone.lock().unwrap();
            zone.asked += 1;
            (answer(&zone, &question[..length]), zone.is_spoofed)
        };
        let Some(mut answer) = answer else { continue };
        if is_spoofed {
            let mut forged = answer.clone();
            forged[0] ^= 1;
            socket.send_to(&forged, asker).await.unwrap();
        }
        if answer.len() > 512 {
            let mut cut = Packet::parse(&answer).unwrap();
            cut.answers.truncate(1);
            cut.set_flags(PacketFlag::TRUNCATION);
            answer = cut.build_bytes_vec().unwrap();
        }
        socket.send_to(&answer, asker).await.unwrap();
    }
}

async fn over_tcp(listener: TcpListener, zone: Arc<Mutex<Zone>>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut question).await.unwrap();
        let answer = answer(&zone.lock().unwrap(), &question).unwrap_or_default();
        let length = u16::try_from(answer.len()).unwrap();
        stream.write_u16(length).await.unwrap();
        stream.write_all(&answer).await.unwrap();
    }
}

fn answer(zone: &Zone, question: &[u8]) -> Option<Vec<u8>> {
    if zone.is_away {
        return None;
    }
    let question = Packet::parse(question).unwrap();
    let name = question.questions[0].qname.to_string();
    let mut reply = question.into_reply();
    reply.set_flags(PacketFlag::RESPONSE);
    let Some(records) = zone.records.get(name.as_str()) else {
        *reply.rcode_mut() = RCODE::NameError;
        return Some(reply.build_bytes_vec().unwrap());
    };
    for (priority, weight, port, target) in records {
        let target = match target.as_str() {
            "." => Name::new_unchecked("").into_owned(),
            target => Name::new(target).unwrap().into_owned(),
        };
        let (priority, weight, port) = (*priority, *weight, *port);
        let srv = SRV {
            priority,
            weight,
            port,
            target,
        };
        let owner = Name::new(&name).unwrap().into_owned();
        reply.answers.push(ResourceRecord::new(
            owner,
            CLASS::IN,
            zone.ttl,
            RData::SRV(srv),
        ));
    }
    Some(reply.build_bytes_vec().unwrap())
}
