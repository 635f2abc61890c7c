//! One group on several nodes: agreement under kills, partitions, loss, and changes of its members.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use onggi_storage_engine::format::Record;
use onggi_storage_engine::log_store::LogState;
use openraft::raft::VoteRequest;
use tokio::time::Instant;

use super::group_keys::GroupKeys;
use super::message::{VoteAnswer, VoteMessage};
use super::test_nodes::{ALL, ANNA, BERTA, CLARA, Nodes, create_user, create_users_somewhere, user_names};
use super::type_config::{LeaderId, LogId, Vote};
use crate::error::ErrorKind;
use crate::id::GroupId;
use crate::peer::Method;
use crate::peer::memory::NetworkOptions;
use crate::placement::PartitionMap;

const LIMIT: Duration = Duration::from_secs(5);

fn names(prefix: &str, count: usize) -> BTreeSet<String> {
    (0..count).map(|number| format!("{prefix}-{number:04}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_one_grows_to_three_which_all_have_everything() {
    let nodes = Nodes::start(NetworkOptions::default()).await;
    let early = names("early", 20);
    join_all(early.iter().map(|name| create_user(nodes.system(ANNA), name))).await;
    assert!(nodes.system(ANNA).linearizable_view().await.is_ok(), "alone it asks nobody");
    nodes.make_voters(&ALL).await;
    let leader = nodes.system(ANNA);
    assert_eq!(leader.voters(), BTreeSet::from(ALL));
    assert!(leader.members_are_settled() && leader.learners().is_empty());
    let late = names("late", 200);
    join_all(late.iter().map(|name| async { create_user(leader, name).await.expect("commits") })).await;
    let all = early.union(&late).cloned().collect();
    nodes.until_all_have(&ALL, &all).await;
    assert_eq!(nodes.records(ANNA, &GroupKeys::system()).len(), nodes.records(BERTA, &GroupKeys::system()).len());
    assert!(leader.entries_behind(BERTA).is_some());
    for follower in [BERTA, CLARA] {
        let follower = nodes.system(follower);
        assert_eq!(follower.leader_hint(), Some(ANNA));
        assert_eq!(follower.propose(bytes::Bytes::new()).await.expect_err("refuses").kind(), ErrorKind::NotLeader);
        assert_eq!(follower.read_index().await.expect_err("refuses").kind(), ErrorKind::NotLeader);
        assert_eq!(follower.add_learner(ANNA).await.expect_err("refuses").kind(), ErrorKind::NotLeader);
    }
    leader.add_learner(BERTA).await.expect("is a member already");
    leader.change_voters(BTreeSet::from(ALL)).await.expect("are the voters already");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_answers_a_read_with_everything_acknowledged_before() {
    let nodes = Nodes::start_as_voters().await;
    for name in names("user", 50) {
        create_user(nodes.system(ANNA), &name).await.expect("commits");
        let index = nodes.system(ANNA).read_index().await.expect("leads");
        let follower = nodes.system(CLARA);
        follower.wait_applied(index, LIMIT).await.expect("catches up");
        assert!(user_names(&follower.local_view().expect("whole")).contains(&name));
    }
    let far = nodes.system(CLARA).wait_applied(1 << 40, Duration::from_millis(20)).await;
    assert_eq!(far.expect_err("never comes").kind(), ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leader_is_killed_another_takes_over_with_all_that_was_acknowledged() {
    let mut nodes = Nodes::start_as_voters().await;
    let mut users = names("before", 50);
    join_all(users.iter().map(|name| create_user(nodes.system(ANNA), name))).await;
    nodes.kill(ANNA).await;
    let start = Instant::now();
    let leader = nodes.leader_among(&[BERTA, CLARA]).await;
    println!("a leader after {:?}", start.elapsed());
    create_user(leader, "after").await.expect("commits");
    users.insert("after".to_owned());
    assert_eq!(user_names(&leader.linearizable_view().await.expect("leads")), users);
    nodes.run(ANNA).await;
    nodes.until_all_have(&ALL, &users).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_commits_nothing_and_answers_no_read() {
    let nodes = Nodes::start_as_voters().await;
    let mut users = names("before", 5);
    join_all(users.iter().map(|name| create_user(nodes.system(ANNA), name))).await;
    nodes.network.isolate(ANNA, [BERTA, CLARA]);
    let start = Instant::now();
    let refused = create_user(nodes.system(ANNA), "never").await.expect_err("cannot commit");
    assert!(matches!(refused.kind(), ErrorKind::Unavailable | ErrorKind::OutcomeUnknown), "{refused}");
    let read = nodes.system(ANNA).linearizable_view().await;
    assert!(read.is_err_and(|error| error.kind() == ErrorKind::Unavailable || error.kind() == ErrorKind::NotLeader));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());

    create_users_somewhere(&nodes, &[BERTA, CLARA], ["meanwhile".to_owned()]).await;
    users.insert("meanwhile".to_owned());
    let read = nodes.system(ANNA).linearizable_view().await;
    assert!(read.is_err(), "a stale read");
    nodes.network.heal_all();
    nodes.until_all_have(&ALL, &users).await;
}

/// The peers look up, so the proposal is made; then no answer comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_whose_majority_goes_away_has_an_unknown_outcome_soon() {
    let mut nodes = Nodes::start_as_voters().await;
    nodes.network.set_lost_per_mille(1000);
    let leader = nodes.system(ANNA).clone();
    let proposal = tokio::spawn(async move { create_user(&leader, "open").await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    nodes.kill(BERTA).await;
    nodes.kill(CLARA).await;
    let outcome = tokio::time::timeout(Duration::from_secs(1), proposal).await.expect("in time").expect("ends");
    assert_eq!(outcome.expect_err("no majority").kind(), ErrorKind::OutcomeUnknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_does_not_hear_its_leader_disturbs_nobody() {
    let nodes = Nodes::start_as_voters().await;
    let term = nodes.system(ANNA).status().term;
    nodes.network.cut(ANNA, CLARA);
    for number in 0..20 {
        create_user(nodes.system(ANNA), &format!("user-{number}")).await.expect("commits");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(nodes.system(ANNA).status().term, term, "its pre-votes are refused by those who hear the leader");
    nodes.network.heal_all();
    nodes.until("Clara follows again", |test| test.users(CLARA).len() == 20).await;
    assert_eq!(nodes.leader().await.status().term, term);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_behind_the_purged_log_gets_a_snapshot() {
    let mut nodes = Nodes::start_as_voters().await;
    nodes.kill(CLARA).await;
    let users = names("user", 1500);
    for some in users.iter().collect::<Vec<_>>().chunks(250) {
        join_all(some.iter().map(|name| create_user(nodes.system(ANNA), name))).await;
    }
    nodes.engine(ANNA).metadata_store().flush().await.expect("flushes");
    nodes.system(ANNA).purge_flushed().await.expect("purges");
    nodes.until("the log is purged", |test| test.system(ANNA).status().purged_index > Some(100)).await;
    nodes.run(CLARA).await;
    nodes.until_all_have(&ALL, &users).await;
    let keys = GroupKeys::system();
    nodes.until("same state", |test| test.records(ANNA, &keys) == test.records(CLARA, &keys)).await;
    assert!(nodes.system(CLARA).status().purged_index.is_some(), "the log starts behind the snapshot");
    create_user(nodes.system(ANNA), "after").await.expect("commits");
    nodes.until("it follows on", |test| test.users(CLARA).contains("after")).await;
    for node in ALL {
        let snapshots = nodes.engine(node).snapshots_directory();
        assert_eq!(std::fs::read_dir(snapshots).expect("reads").count(), 0, "files are left");
    }
    nodes.kill(CLARA).await;
    nodes.run(CLARA).await;
    nodes.until("also after a kill", |test| test.users(CLARA).len() == 1501).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_three_are_killed_and_start_again_with_everything() {
    let mut nodes = Nodes::start_as_voters().await;
    let mut users = names("user", 100);
    join_all(users.iter().map(|name| create_user(nodes.system(ANNA), name))).await;
    for node in ALL {
        nodes.kill(node).await;
    }
    for node in ALL {
        nodes.run(node).await;
    }
    create_users_somewhere(&nodes, &ALL, ["after".to_owned()]).await;
    users.insert("after".to_owned());
    nodes.until_all_have(&ALL, &users).await;
    assert_eq!(nodes.leader().await.voters(), BTreeSet::from(ALL));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voter_leaves_and_another_leaves_and_the_last_reads_alone() {
    let nodes = Nodes::start_as_voters().await;
    let leader = nodes.system(ANNA);
    leader.change_voters(BTreeSet::from([ANNA, BERTA])).await.expect("removes one");
    create_user(leader, "two").await.expect("commits");
    leader.change_voters(BTreeSet::from([ANNA])).await.expect("removes another");
    create_user(leader, "one").await.expect("commits");
    nodes.network.isolate(ANNA, [BERTA, CLARA]);
    let view = leader.linearizable_view().await.expect("asks nobody");
    assert_eq!(user_names(&view), BTreeSet::from(["one".to_owned(), "two".to_owned()]));
    assert!(leader.voters() == BTreeSet::from([ANNA]) && leader.members_are_settled());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_leaves_hands_over() {
    let nodes = Nodes::start_as_voters().await;
    nodes.system(ANNA).change_voters(BTreeSet::from([BERTA, CLARA])).await.expect("removes itself");
    create_users_somewhere(&nodes, &[BERTA, CLARA], ["after".to_owned()]).await;
    assert_eq!(nodes.leader_among(&[BERTA, CLARA]).await.voters(), BTreeSet::from([BERTA, CLARA]));
    nodes.until("Anna leads no more", |test| !test.system(ANNA).is_leader()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leadership_goes_where_it_is_sent() {
    let nodes = Nodes::start_as_voters().await;
    for (from, to) in [(ANNA, CLARA), (CLARA, BERTA), (BERTA, ANNA)] {
        let start = Instant::now();
        nodes.system(from).transfer_leader(to, LIMIT).await.expect("hands over");
        println!("from {} to {} in {:?}", from.0, to.0, start.elapsed());
        nodes.until("it leads", |test| test.system(to).is_leader()).await;
        create_users_somewhere(&nodes, &[to], [format!("of-{}", to.0)]).await;
    }
    assert_eq!(nodes.users(ANNA).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_retired_and_comes_back() {
    let mut nodes = Nodes::start_as_voters().await;
    let map = PartitionMap::even(4);
    let keys = || GroupKeys::of_owners(GroupId(1), &map);
    nodes.groups(ANNA).found_all(&map).await.expect("founds");
    let at_anna = nodes.groups(ANNA).get(GroupId(1)).expect("open");
    let at_berta = nodes.groups(BERTA).open_member(keys()).await.expect("opens");
    at_anna.add_learner(BERTA).await.expect("adds");
    nodes.until("Berta follows", |_| at_anna.entries_behind(BERTA) == Some(0)).await;
    assert!(!nodes.records(BERTA, &keys()).is_empty());
    at_anna.change_voters(BTreeSet::from([ANNA, BERTA])).await.expect("promotes");
    at_anna.change_voters(BTreeSet::from([ANNA])).await.expect("removes");

    // A crash in between leaves the state without its log.
    nodes.engine(BERTA).log_store().forget(1, None).await.expect("forgets");
    assert!(nodes.groups(BERTA).has_leftovers(GroupId(1)).await.expect("looks"));
    nodes.groups(BERTA).retire(keys()).await.expect("retires");
    assert!(!nodes.groups(BERTA).has_leftovers(GroupId(1)).await.expect("looks"));
    assert!(nodes.groups(BERTA).find(GroupId(1)).is_none());
    assert!(nodes.records(BERTA, &keys()).is_empty());
    let log = nodes.engine(BERTA).log_store().state(1).expect("state");
    assert!(matches!(log, LogState { first: None, last: None, purged: None, committed: None, .. }), "{log:?}");
    assert!(at_berta.propose(bytes::Bytes::new()).await.is_err(), "who still holds it gets errors");
    assert!(at_berta.local_view().is_err(), "and no state without records");
    nodes.groups(BERTA).retire(keys()).await.expect("once more, after a crash in between");

    drop(at_berta);
    nodes.kill(BERTA).await;
    nodes.run(BERTA).await;
    let at_berta = nodes.groups(BERTA).open_member(keys()).await.expect("opens again");
    at_anna.add_learner(BERTA).await.expect("adds");
    at_anna.change_voters(BTreeSet::from([ANNA, BERTA])).await.expect("promotes");
    let index = at_anna.read_index().await.expect("leads");
    at_berta.wait_applied(index, LIMIT).await.expect("catches up");
}

/// A replica that lags so far behind that it takes old voters for those of today must not be elected by one that forgot what it had.
#[tokio::test(flavor = "multi_thread")]
async fn who_left_and_comes_back_votes_for_no_lesser_log() {
    let mut nodes = Nodes::start_as_voters().await;
    let map = PartitionMap::even(4);
    let keys = || GroupKeys::of_owners(GroupId(1), &map);
    nodes.groups(ANNA).found_all(&map).await.expect("founds");
    let at_anna = nodes.groups(ANNA).get(GroupId(1)).expect("open");
    nodes.groups(BERTA).open_member(keys()).await.expect("opens");
    at_anna.add_learner(BERTA).await.expect("adds");
    at_anna.change_voters(BTreeSet::from([ANNA, BERTA])).await.expect("promotes");
    let had = nodes.engine(BERTA).log_store().state(1).expect("state").last.expect("has entries");
    at_anna.change_voters(BTreeSet::from([ANNA])).await.expect("removes");
    nodes.groups(BERTA).retire(keys()).await.expect("retires");
    nodes.kill(BERTA).await;
    nodes.run(BERTA).await;
    nodes.groups(BERTA).open_member(keys()).await.expect("opens again");

    for method in [Method::RAFT_PRE_VOTE, Method::RAFT_VOTE] {
        for (last, is_owed_more) in [(None, true), (Some(log_id(1, had - 1)), true), (Some(log_id(9, 1)), false)] {
            let request = VoteRequest {
                vote: Vote { leader_id: LeaderId { term: 10, node_id: CLARA.0 }, committed: false },
                last_log_id: last,
                leadership_transfer: false,
            };
            let message = VoteMessage { group: GroupId(1), request }.to_bytes();
            let answer = nodes.network.peers(CLARA).call(BERTA, method, vec![message], LIMIT).await.expect("answers");
            let VoteAnswer(answer) = VoteAnswer::from_bytes(&answer).expect("is an answer");
            // It has no log to tell of but the one that it left with.
            assert_eq!(answer.last_log_id.is_some(), is_owed_more, "{method:?} {last:?}");
            assert!(!(answer.vote_granted && is_owed_more), "{method:?} {last:?}");
        }
    }
}

fn log_id(term: u64, index: u64) -> LogId {
    LogId { leader_id: LeaderId { term, node_id: ANNA.0 }, index }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_bad_network_the_nodes_still_agree() {
    let delay = Duration::ZERO..=Duration::from_millis(5);
    let nodes = Nodes::start(NetworkOptions { seed: 11, delay, ..NetworkOptions::default() }).await;
    nodes.make_voters(&ALL).await;
    nodes.network.set_lost_per_mille(30);
    let users = names("user", 60);
    create_users_somewhere(&nodes, &ALL, users.clone()).await;
    nodes.network.set_lost_per_mille(0);
    nodes.until_all_have(&ALL, &users).await;
    let keys = GroupKeys::system();
    for node in [BERTA, CLARA] {
        nodes.until("same state", |test| test.records(ANNA, &keys) == test.records(node, &keys)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_group_keeps_its_leader() {
    let nodes = Nodes::start_as_voters().await;
    create_user(nodes.system(ANNA), "before").await.expect("commits");
    let term = nodes.system(ANNA).status().term;
    // Ten times the longest patience.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for node in ALL {
        assert_eq!((nodes.system(node).status().term, nodes.system(node).leader_hint()), (term, Some(ANNA)));
    }
    create_user(nodes.system(ANNA), "after").await.expect("commits");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_of_an_idle_group_learns_what_was_committed_while_it_was_away() {
    let mut nodes = Nodes::start_as_voters().await;
    let users = names("user", 20);
    join_all(users.iter().map(|name| create_user(nodes.system(ANNA), name))).await;
    nodes.until_all_have(&ALL, &users).await;
    nodes.kill(BERTA).await;
    nodes.run(BERTA).await;
    // Nothing is proposed any more: only pulses tell it.
    nodes.until_all_have(&ALL, &users).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_sent_leadership_to_nobody_is_replaced() {
    let mut nodes = Nodes::start_as_voters().await;
    nodes.kill(CLARA).await;
    let sent = nodes.system(ANNA).transfer_leader(CLARA, Duration::from_millis(100)).await;
    assert_eq!(sent.expect_err("she is not there").kind(), ErrorKind::Unavailable);
    create_users_somewhere(&nodes, &[ANNA, BERTA], ["after".to_owned()]).await;
    nodes.until("both have it", |test| [ANNA, BERTA].iter().all(|node| test.users(*node).len() == 1)).await;
}
