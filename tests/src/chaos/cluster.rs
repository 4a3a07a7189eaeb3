//! Three brokers, three nodes of Elasticsearch, and a registry with two addresses, each behind a link.

use crate::link::Link;
use crate::ports;
use crate::stack::{API, OwnStack, Stack};

/// The number of brokers, and of nodes.
pub const MEMBERS: u8 = 3;
/// The number of addresses of the registry.
pub const REGISTRIES: u8 = 2;

/// A cluster of all parts. Stopped when dropped.
pub struct Cluster {
    /// The parts.
    pub stack: OwnStack,
    /// The links to the brokers.
    pub brokers: Vec<Link>,
    /// The links to the nodes.
    pub nodes: Vec<Link>,
    /// The links to the registry.
    pub registries: Vec<Link>,
    node_ports: Vec<u16>,
}

impl Cluster {
    /// Starts the cluster, and waits until it is ready.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(name: &str) -> anyhow::Result<Self> {
        let (brokers, node_ports, registry) = (ports(MEMBERS)?, ports(MEMBERS)?, ports::free()?);
        let stack = Stack { kafka: brokers[0], registry, elasticsearch: node_ports[0] };
        let (broker_links, nodes) = (links(&brokers).await?, links(&node_ports).await?);
        let registries = links(&vec![registry; REGISTRIES.into()]).await?;
        let mut settings: Vec<(String, String)> = [
            ("BROKERS", "3"),
            ("NODES", "3"),
            // Seven Java processes share the machine with the services.
            ("KAFKA_HEAP", "320m"),
            ("ES_HEAP", "512m"),
            ("REGISTRY_HEAP", "192m"),
            ("STACK_TIMEOUT", "400"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let prefix =
            |kind: &str, number: usize| if number == 0 { kind.to_owned() } else { format!("{kind}{}", number + 1) };
        for (number, port) in brokers.iter().enumerate() {
            settings.push((format!("{}_PORT", prefix("KAFKA", number)), port.to_string()));
            let advertised = broker_links[number].port().to_string();
            settings.push((format!("{}_ADVERTISED_PORT", prefix("KAFKA", number)), advertised));
        }
        for (number, port) in node_ports.iter().enumerate() {
            settings.push((format!("{}_PORT", prefix("ELASTICSEARCH", number)), port.to_string()));
        }
        let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let stack = OwnStack::start_at(name, stack, &settings).await?;
        Ok(Self { stack, brokers: broker_links, nodes, registries, node_ports })
    }

    /// Returns the value for `kafka.brokers`.
    pub fn broker_addresses(&self) -> String {
        addresses(&self.brokers, "", "")
    }

    /// Returns the value for `elasticsearch.url`.
    pub fn node_urls(&self) -> String {
        addresses(&self.nodes, "http://", "")
    }

    /// Returns the value for `schema_registry.url`.
    pub fn registry_urls(&self) -> String {
        addresses(&self.registries, "http://", API)
    }

    /// Returns the URL of node `number`, from 1, without its link.
    pub fn node_url(&self, number: u8) -> String {
        format!("http://127.0.0.1:{}", self.node_ports[usize::from(number) - 1])
    }
}

fn ports(count: u8) -> anyhow::Result<Vec<u16>> {
    (0..count).map(|_| ports::free()).collect()
}

async fn links(upstream: &[u16]) -> anyhow::Result<Vec<Link>> {
    let mut links = Vec::new();
    for port in upstream {
        links.push(Link::open(*port).await?);
    }
    Ok(links)
}

fn addresses(links: &[Link], scheme: &str, path: &str) -> String {
    let all: Vec<_> = links.iter().map(|link| format!("{scheme}{}{path}", link.address())).collect();
    all.join(",")
}
