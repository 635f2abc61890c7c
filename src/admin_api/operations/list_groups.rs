//! `GET /groups`

use axum::Json;
use axum::extract::State;
use onggi_cluster::id::{NodeId, OwnerKey};
use onggi_cluster::placement::{GroupReport, Survey, Surveyor};

use crate::admin_api::AdminApi;
use crate::admin_api::error::{AdminError, Result};
use crate::admin_api::message::{OwnersGroup, OwnersGroups};

pub async fn list_groups(State(api): State<AdminApi>) -> Result<Json<OwnersGroups>> {
    let reports = surveyor(&api)?.reports().await;
    Ok(Json(OwnersGroups { groups: reports.into_iter().map(group).collect() }))
}

pub(super) fn surveyor(api: &AdminApi) -> Result<Surveyor> {
    api.system.surveyor().ok_or_else(|| AdminError::unavailable("no drive of this process serves"))
}

fn group(report: GroupReport) -> OwnersGroup {
    let numbers = |nodes: &[NodeId]| nodes.iter().map(|node| node.0).collect();
    let key = |owner: OwnerKey| format!("{:016x}", owner.0);
    let survey: Option<&Survey> = report.survey.as_ref();
    OwnersGroup {
        id: report.group.0,
        first: key(report.range.first),
        last: key(report.range.last),
        voters: numbers(&report.voters),
        target: numbers(&report.target),
        leader: survey.and_then(|survey| survey.leader).map(|leader| leader.0),
        users: survey.map(|survey| survey.load.owners),
        objects: survey.map(|survey| survey.load.totals.objects),
        entries: survey.map(|survey| survey.load.entries()),
        bytes: survey.map(|survey| survey.load.totals.bytes),
        splitting_off: report.child.map(|child| child.0),
    }
}
