#include "engine/topology.h"

#include <hwloc.h>
#include <stdlib.h>

/* Where a core is; those that agree in more of the leading fields are nearer. */
struct topology_place {
    unsigned package; /* logical indices of hwloc, which follow the machine's tree */
    unsigned thread;  /* 0: the first hardware thread of its physical core */
    unsigned pu;      /* neighbours in this order share the lowest cache that anyone shares */
    int cpu;
};

static int topology_compare(const void *left, const void *right)
{
    const struct topology_place *a = left, *b = right;
    if (a->package != b->package)
        return a->package < b->package ? -1 : 1;
    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    if (a->pu != b->pu)
        return a->pu < b->pu ? -1 : 1;
    return a->cpu - b->cpu;
}

/* All first threads of a package in the order of its caches, then all second ones: so two threads
 * of a core are next to each other only where a package has but one core in the set. */
static void topology_locate(hwloc_topology_t topology, struct topology_place *place)
{
    hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(topology, (unsigned)place->cpu);
    if (pu == NULL)
        return;
    hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_PACKAGE, pu);
    place->package = package != NULL ? package->logical_index : 0;
    place->thread = pu->sibling_rank;
    place->pu = pu->logical_index;
}

void topology_ring(const cpu_set_t *cores, int *ring)
{
    struct topology_place places[CPU_SETSIZE];
    size_t n = 0;
    hwloc_topology_t topology = NULL;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((size_t)cpu, cores))
            places[n++] = (struct topology_place){.cpu = cpu};
    if (hwloc_topology_init(&topology) == 0) {
        if (hwloc_topology_load(topology) == 0)
            for (size_t i = 0; i < n; i++)
                topology_locate(topology, &places[i]);
        hwloc_topology_destroy(topology);
    }
    qsort(places, n, sizeof *places, topology_compare);
    for (size_t i = 0; i < n; i++)
        ring[i] = places[i].cpu;
}
