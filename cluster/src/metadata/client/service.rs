//! Metadata service: what other nodes ask of the groups of this node.
//! Owns: the handlers of proposals, read indexes and remote views. None of them goes on to a third node on behalf of the caller, but for
//! the read index of a view, so a call never goes in circles.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use onggi_storage_engine::env::spawn_blocking;
use onggi_storage_engine::format::{Decoder, Record};

use super::admission::Admission;
use super::open_views::OpenViews;
use super::reader::Reader;
use super::remote_view::page;
use super::routing::Routing;
use super::wire::{
    CloseViewRequest, GetAnswer, GetRequest, OpenViewAnswer, OpenViewRequest, ProposeAnswer, ProposeRequest,
    ReadIndexAnswer, ReadIndexRequest, ScanRequest,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::GroupId;
use crate::metadata::command::Command;
use crate::metadata::view::MetadataView;
use crate::peer::{Caller, Handlers, Method, Payload};
use crate::raft::Group;

/// A page ends behind this many bytes of records.
const PAGE_BYTES: usize = 1024 * 1024;

struct MetadataService {
    routing: Routing,
    admission: Admission,
    reader: Reader,
    views: OpenViews,
}

/// `handlers`, and those of metadata.
pub(crate) fn with_metadata_handlers(handlers: Handlers, routing: Routing, admission: Admission) -> Handlers {
    let reader = Reader::new(routing.clone());
    let service = Arc::new(MetadataService { routing, admission, reader, views: OpenViews::default() });
    handlers
        .with(Method::PROPOSE, calling(&service, MetadataService::propose))
        .with(Method::READ_INDEX, calling(&service, MetadataService::read_index))
        .with(Method::VIEW_OPEN, calling(&service, MetadataService::open_view))
        .with(Method::VIEW_GET, calling(&service, MetadataService::get))
        .with(Method::VIEW_SCAN, calling(&service, MetadataService::scan))
        .with(Method::VIEW_CLOSE, calling(&service, MetadataService::close_view))
}

type Answer = BoxFuture<'static, Result<Payload>>;

fn calling<F, A>(service: &Arc<MetadataService>, method: F) -> impl Fn(Caller, Bytes) -> Answer + Send + Sync + 'static
where
    F: Fn(Arc<MetadataService>, Bytes) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Payload>> + Send + 'static,
{
    let service = service.clone();
    move |_from, payload| Box::pin(method(service.clone(), payload))
}

impl MetadataService {
    async fn propose(self: Arc<Self>, payload: Bytes) -> Result<Payload> {
        let mut decoder = Decoder::new(&payload);
        let ProposeRequest { group } = Record::decode(&mut decoder)?;
        let command = payload.slice(payload.len() - decoder.remaining()..);
        let here = self.group(group)?;
        self.admission.check(&here, &Command::decode(&command)?.change)?;
        let answer = match here.propose(command).await {
            Ok(outcome) => ProposeAnswer::Decided { outcome },
            Err(error) if error.kind() == ErrorKind::NotLeader => {
                ProposeAnswer::NotLeader { leader: here.leader_hint().filter(|leader| *leader != self.routing.node) }
            }
            Err(error) => return Err(error),
        };
        Ok(vec![answer.to_bytes()])
    }

    async fn read_index(self: Arc<Self>, payload: Bytes) -> Result<Payload> {
        let ReadIndexRequest { group } = Record::from_bytes(&payload)?;
        let index = self.group(group)?.read_index().await?;
        Ok(vec![ReadIndexAnswer { index }.to_bytes()])
    }

    async fn open_view(self: Arc<Self>, payload: Bytes) -> Result<Payload> {
        let OpenViewRequest { group, owner } = Record::from_bytes(&payload)?;
        let here = self.group(group)?;
        let view = self.reader.view_here(&here, owner, 0).await?;
        Ok(vec![OpenViewAnswer { view: self.views.open(view)? }.to_bytes()])
    }

    async fn get(self: Arc<Self>, payload: Bytes) -> Result<Payload> {
        let GetRequest { view, key } = Record::from_bytes(&payload)?;
        let view = self.views.get(view)?;
        let value = blocking(move || view.get(&key)).await?;
        Ok(vec![GetAnswer { value: value.map(Vec::from) }.to_bytes()])
    }

    async fn scan(self: Arc<Self>, payload: Bytes) -> Result<Payload> {
        let request: ScanRequest = Record::from_bytes(&payload)?;
        let view = self.views.get(request.view)?;
        let answer = blocking(move || page(&*view, &request, PAGE_BYTES)).await?;
        Ok(vec![answer.to_bytes()])
    }

    async fn close_view(self: Arc<Self>, payload: Bytes) -> Result<Payload> {
        let CloseViewRequest { view } = Record::from_bytes(&payload)?;
        self.views.close(view);
        Ok(Payload::new())
    }

    fn group(&self, group: GroupId) -> Result<Arc<Group>> {
        let here = self.routing.here(group);
        here.map_err(|_| Error::new(ErrorKind::NotFound, format!("group {} is not on this node", group.0)))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(|panic| Error::caused_by(ErrorKind::Internal, "read metadata", panic))?
}
