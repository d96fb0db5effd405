/* What an answered request leaves behind: a row for the tail, the metrics, and the arena's age. */
#ifndef L0_ENGINE_RECORD_H
#define L0_ENGINE_RECORD_H

struct request;
struct shard;

/* By the shard that has sent its reply (status ok), before the request is closed. */
void record_answered(struct shard *shard, const struct request *request);

#endif
