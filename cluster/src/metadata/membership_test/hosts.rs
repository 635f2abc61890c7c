//! Drives of one host: how they come, and what the others must make up for when they go.

use expect_test::expect;

use super::check;

#[test]
fn a_drive_is_a_node_of_the_host_that_it_was_given_to() {
    check(
        "
        found f zone=r1
        add g beside=1 zone=other
        add g beside=1
        add h beside=9
        token a
        join x token=a zone=r2
        add y beside=3
        add g beside=3
        add z beside=2
        move 2 zone=r9
        remove 2
        add g beside=1
        add w beside=2
        nodes
        ",
        expect![[r#"
            found f zone=r1
                node 1
            add g beside=1 zone=other
                node 2
            add g beside=1
                node 2
            add h beside=9
                refused: NoSuchNode
            token a
                Done
            join x token=a zone=r2
                node 3
            add y beside=3
                node 4
            add g beside=3
                refused: DriveKnown { node: NodeId(2) }
            add z beside=2
                node 5
            move 2 zone=r9
                Done
            remove 2
                Done
            add g beside=1
                refused: DriveKnown { node: NodeId(2) }
            add w beside=2
                refused: NodeRemoved
            nodes
                1 drive f at f:2 zone=r9 weight=100 Active 1.0
                2 drive g at g:2 on host 1 zone=r9 weight=100 Removed 1.0
                3 drive x at x:2 zone=r2 weight=100 Active 1.0
                4 drive y at y:2 on host 3 zone=r2 weight=100 Active 1.0
                5 drive z at z:2 on host 1 zone=r9 weight=100 Active 1.0
        "#]],
    );
}

#[test]
fn copies_are_counted_against_hosts() {
    check(
        "
        found f
        add g beside=1
        token a
        join x token=a
        token b
        join y token=b
        add z beside=3
        place 1 voters=1,3,4 target=1,2,3 step=0
        place 1 voters=1,3,4 target=1,3,4 step=0
        drain-host 1
        drain 1
        drain 2
        token c
        join w token=c
        drain-host 3
        drain-host 1
        drain-host 7
        nodes
        ",
        expect![[r#"
            found f
                node 1
            add g beside=1
                node 2
            token a
                Done
            join x token=a
                node 3
            token b
                Done
            join y token=b
                node 4
            add z beside=3
                node 5
            place 1 voters=1,3,4 target=1,2,3 step=0
                refused: InvalidGroup
            place 1 voters=1,3,4 target=1,3,4 step=0
                Done
            drain-host 1
                refused: TooFewNodes { needed: 3 }
            drain 1
                Done
            drain 2
                refused: TooFewNodes { needed: 3 }
            token c
                Done
            join w token=c
                node 6
            drain-host 3
                Done
            drain-host 1
                refused: TooFewNodes { needed: 3 }
            drain-host 7
                refused: NoSuchNode
            nodes
                1 drive f at f:2 zone= weight=100 Draining 1.0
                2 drive g at g:2 on host 1 zone= weight=100 Active 1.0
                3 drive x at x:2 zone= weight=100 Draining 1.0
                4 drive y at y:2 zone= weight=100 Active 1.0
                5 drive z at z:2 on host 3 zone= weight=100 Draining 1.0
                6 drive w at w:2 zone= weight=100 Active 1.0
        "#]],
    );
}
