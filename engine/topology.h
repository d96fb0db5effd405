/* The order in which cores stand in the ring of shards: each shard's sibling is the next one. */
#ifndef L0_ENGINE_TOPOLOGY_H
#define L0_ENGINE_TOPOLOGY_H

#include <sched.h>

/* Writes the set's cores into ring[0, CPU_COUNT(cores)): neighbours are near in cache, and not two
 * threads of one physical core as long as there are others. Where the machine does not tell its
 * topology, in the order of their numbers. */
void topology_ring(const cpu_set_t *cores, int *ring);

#endif
