/* The protocol between the two shards of a pair over one connection, for spin: engine/conn.h (states
 * of the word), engine/request.h (holders), engine/serve.c and engine/hedge.c (who does what).
 *
 * Two shards, home and sibling, do the same, but that only the home adopts and closes. A stall is
 * nothing special here: any process may stand still between any two steps while the others go on,
 * so all claims, takes, hedges and losses happen that the engine's watch could ever bring about.
 * A document comes in two pieces, so that a connection is found between them; a client sends its
 * documents without waiting, may leave at any time, and is followed by another on the same slot.
 * The word is read and swapped atomically, everything else step by step. spin assumes sequential
 * consistency; the memory orders are argued where the words are declared, and tested under TSan.
 *
 * Asserted:
 *   ONE_REPLY   a document is answered once
 *   ALIVE       who reads a block holds it, and it holds what it held when it was lent
 *   OWN         a reply goes to the client whose document it is
 *   ORDER       replies come in the order of the documents
 *   RELEASED    in the end every block is free and the slot too
 *   ANSWERED    in the end a client that has stayed has all its replies
 *
 * For each of these there is a mistake that breaks it, compiled in by -DBUG_...: scripts/model.sh
 * checks that spin finds all of them (BUG_TAKE was in the engine once, and found here). */

#define HOME    0
#define SIBLING 1
#define NOBODY  2
#define OTHER(s) (1 - (s))

#ifndef DOCS_FIRST
#define DOCS_FIRST 2 /* documents 1 to 2 are the first client's, 3 the second one's */
#endif
#define DOCS       (DOCS_FIRST + 1)
#define BLOCKS     4 /* block 0 is none */

mtype = { FREE, IDLE, RECV, AHEAD, PROC, REPLY, CLOSING };

typedef block_t {
    bool taken;
    byte doc;
    byte holders;
};

/* The connection's word. */
mtype state = FREE;
byte owner = NOBODY;
bool hedged;
byte seq;

/* Under the word. */
byte in_block; /* 0: none */
byte in_doc;
byte pieces;   /* of in_doc that have been received */
bool broken;
bool taken_ahead; /* who had it in AHEAD may still read in_block */
byte lent;     /* the block that a hedger may read */
byte lent_doc;

/* The rest of the world. */
block_t block[BLOCKS];
chan socket = [4] of { byte }; /* pieces of documents; those of client 2 after those of client 1 */
byte client;                   /* whose socket it is: 0 none yet */
bool gone;                     /* it has left */
bool event;                    /* the home has the connection in its ready queue */
bool readable;                 /* the home's note: the socket may hold something */
bool returned;                 /* the connection lies in the home's returns */
byte expected = 1;             /* the document whose reply is due next */
byte replies[DOCS + 1];
bool home_done;

inline block_alloc(b, d) {
    atomic {
        if
        :: !block[1].taken -> b = 1
        :: block[1].taken && !block[2].taken -> b = 2
        :: block[1].taken && block[2].taken && !block[3].taken -> b = 3
        fi;
        block[b].taken = true;
        block[b].doc = d;
        block[b].holders = 0
    }
}

inline block_free(b) {
    atomic {
        assert(block[b].taken); /* ALIVE: freed once */
        block[b].taken = false;
        block[b].doc = 0
    }
}

inline block_read(b, d) {
    assert(block[b].taken && block[b].doc == d) /* ALIVE */
}

inline block_drop(b) {
    atomic {
        assert(block[b].taken && block[b].holders > 0);
        block[b].holders--;
        if
        :: block[b].holders == 0 -> block_free(b)
        :: else
        fi
    }
}

/* A reply that the client is there to take. */
inline reply(d) {
    if
    :: gone -> sent = false
    :: !gone ->
        assert((d <= DOCS_FIRST) == (client == 1)); /* OWN */
        replies[d]++;
        assert(replies[d] == 1);                    /* ONE_REPLY */
        assert(d == expected);                      /* ORDER */
        expected = d + 1;
        sent = true
    fi
}

/* The word is IDLE again. The home looks by itself, the sibling has it look. */
inline release(me) {
    state = IDLE;
    owner = NOBODY;
    if
    :: me == HOME -> event = event || readable
#ifndef BUG_ANSWERED
    :: me == SIBLING -> returned = true
#else
    :: me == SIBLING
#endif
    fi
}

/* In REPLY(me), document d of block b: whole_block: nobody else holds b. */
inline answer(me, d, b, shared) {
    reply(d);
    in_block = 0;
    in_doc = 0;
    pieces = 0;
    if
    :: shared ->
#ifdef BUG_ALIVE
        block_free(b)   /* although the other one may still read it */
#else
        block_drop(b)
#endif
    :: !shared -> block_free(b)
    fi;
    if
    :: !sent -> broken = true
    :: sent
    fi;
    atomic {
#ifndef BUG_ORDER
        seq = seq + 1;
#endif
        release(me)
    }
}

/* In RECV(me), from here on with nobody else: one receive, then what follows from it. */
inline receive(me) {
    moved = true;
    if
    :: taken_ahead -> move_in()
    :: !taken_ahead
    fi;
    if
    :: !moved -> atomic { release(me); event = event || me == HOME }
    :: moved -> receive_here(me)
    fi
}

inline receive_here(me) {
    atomic {
        if
        :: nempty(socket) -> socket ? d; got = true
        :: empty(socket) -> got = false
        fi;
        if
        :: me == HOME -> readable = nempty(socket)
        :: me == SIBLING
        fi
    };
    if
    :: got && in_block == 0 -> block_alloc(b, d); in_block = b; in_doc = d; pieces = 1
    :: got && in_block != 0 -> assert(d == in_doc); pieces = 2
    :: !got
    fi;
    got = false;
    b = in_block;
    d = in_doc;
    if
    :: pieces == 0 -> atomic { release(me) }
    :: pieces == 1 -> ahead(me)
    :: pieces == 2 -> process(me)
    fi
}

inline ahead(me) {
    block[b].holders = 2;
    atomic { state = AHEAD };
    block_read(b, d);
    atomic {
        if
        :: state == AHEAD && owner == me && seq == my_seq -> release(me); lost = false
        :: else -> lost = true
        fi
    };
    if
    :: lost ->
#ifndef BUG_RELEASED
        block_drop(b)
#else
        skip
#endif
    :: !lost
    fi;
    lost = false
}

inline process(me) {
    block[b].holders = 2;
    lent = b;
    lent_doc = d;
    atomic { state = PROC; hedged = false };
    block_read(b, d);
    atomic {
        if
        :: state == PROC && owner == me && seq == my_seq ->
            shared = hedged; state = REPLY; hedged = false; lost = false
        :: else -> lost = true
        fi
    };
    if
    :: !lost -> answer(me, d, b, shared)
    :: lost ->
#ifdef BUG_ONE_REPLY
        reply(d);
#endif
        block_drop(b)
    fi;
    lost = false;
    shared = false
}

/* In RECV(me) of what was taken in AHEAD: into a block of one's own, if there is one and while the
 * other one may still read; nothing is done where it has let go. */
inline move_in() {
    moved = true;
    b = in_block;
    d = in_doc;
    if
    :: block[b].holders == 1 -> block[b].holders = 0
    :: block[b].holders == 2 ->
        if
        :: block_alloc(nb, d);
            block_read(b, d);
            in_block = nb;
            block_drop(b)
        :: moved = false /* memory is short */
        fi
    fi;
    taken_ahead = !moved
}

/* Another one has it in AHEAD. Where there is no memory, who claims it next tries again. */
inline take(me) {
    atomic { (state == AHEAD && owner == OTHER(me)) -> state = RECV; owner = me; my_seq = seq };
#ifdef BUG_TAKE
    /* Put back where there is no memory: the other one may have seen that it was taken. */
    b = in_block;
    d = in_doc;
    if
    :: atomic { state = AHEAD; owner = OTHER(me) }; moved = false
    :: moved = true
    fi;
    if
    :: !moved
    :: moved -> move_in(); atomic { release(me); event = event || me == HOME }
    fi
#else
    move_in();
    atomic { release(me); event = event || me == HOME }
#endif
}

/* Another one has it in PROC. What is read of the loan counts only if the swap succeeds. */
inline hedge(me) {
    atomic { (state == PROC && owner == OTHER(me) && !hedged) -> my_seq = seq };
    b = lent;
    d = lent_doc;
    atomic {
        if
        :: state == PROC && owner == OTHER(me) && !hedged && seq == my_seq ->
            hedged = true; lost = false
        :: else -> lost = true
        fi
    };
    if
    :: lost
    :: !lost ->
        block_read(b, d);
        block_read(b, d);
        atomic {
            if
            :: state == PROC && owner == OTHER(me) && hedged && seq == my_seq ->
                state = REPLY; owner = me; hedged = false
            :: else -> lost = true
            fi
        };
        if
        :: lost -> block_drop(b)
        :: !lost -> answer(me, d, b, true)
        fi
    fi;
    lost = false
}

/* Adopts client 1, and client 2 when that has left. */
inline adopt() {
    atomic {
        client = client + 1;
        gone = false;
        broken = false;
        if
        :: client == 2 -> expected = DOCS_FIRST + 1
        :: client == 1
        fi;
        seq = seq + 1;
        state = IDLE;
        owner = NOBODY
    }
}

/* In RECV(home), the client gone: everything that is here is thrown away with the connection. */
inline close() {
    atomic { state = CLOSING };
    if
    :: in_block != 0 ->
        if
        :: taken_ahead -> block_drop(in_block)
        :: !taken_ahead -> block_free(in_block)
        fi;
        taken_ahead = false;
        in_block = 0;
        in_doc = 0;
        pieces = 0
    :: in_block == 0
    fi;
    atomic {
        do
        :: nempty(socket) -> socket ? d
        :: empty(socket) -> break
        od;
        seq = seq + 1;
        state = FREE;
        owner = NOBODY
    }
}

proctype shard_home() {
    byte b, nb, d, my_seq;
    bool lost, shared, sent, got, moved;
    do
    :: state == FREE && client < 2 -> adopt(); run client_of()
    :: state == FREE && client == 2 -> break
    :: atomic { returned -> returned = false; event = true }
    :: atomic { event && state != FREE -> event = false; readable = true };
        atomic {
            if
            :: state == IDLE -> state = RECV; owner = HOME; my_seq = seq
            :: else -> lost = true /* it will be returned, or this shard hedges or takes it */
            fi
        };
        if
        :: lost -> lost = false
        :: !lost && (broken || gone) -> close()
        :: !lost && !broken && !gone ->
            receive(HOME)
        fi
    :: take(HOME)
    :: hedge(HOME)
#ifdef BUG_OWN
    :: state == REPLY && owner == SIBLING && gone -> close() /* although another one sends */
#endif
    od;
    home_done = true
}

proctype shard_sibling() {
    byte b, nb, d, my_seq;
    bool lost, shared, sent, got, moved;
    do
    :: home_done -> break
    :: atomic { state == IDLE && !broken && !gone && (nempty(socket)) ->
                state = RECV; owner = SIBLING; my_seq = seq };
        receive(SIBLING)
    :: take(SIBLING)
    :: hedge(SIBLING)
    :: break /* guards no more */
    od
}

proctype client_of() {
    byte me = client;
    byte d = (me == 1 -> 1 : DOCS_FIRST + 1);
    byte last = (me == 1 -> DOCS_FIRST : DOCS);
    do
    :: d <= last -> atomic { socket ! d; event = true }; atomic { socket ! d; event = true }; d++
    :: d > last && expected > last -> break
    :: break /* does not wait */
    od;
    atomic { gone = true; event = true }
}

init {
    atomic { run shard_home(); run shard_sibling() };
    timeout;
    assert(home_done && state == FREE && !block[1].taken && !block[2].taken && !block[3].taken) /* RELEASED */
}
