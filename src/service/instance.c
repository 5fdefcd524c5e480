/* instance: see instance.h. The list is that of Braze's API documentation (API overview > Endpoints), November 2026.
   Hosts can't be computed from names: there is no US-09, US-10 breaks the pattern, the European hosts end in .eu. */
#include "service/instance.h"

static const struct braze_instance instances[] = {
    {"US-01", "https://rest.iad-01.braze.com", "dashboard-01.braze.com"},
    {"US-02", "https://rest.iad-02.braze.com", "dashboard-02.braze.com"},
    {"US-03", "https://rest.iad-03.braze.com", "dashboard-03.braze.com"},
    {"US-04", "https://rest.iad-04.braze.com", "dashboard-04.braze.com"},
    {"US-05", "https://rest.iad-05.braze.com", "dashboard-05.braze.com"},
    {"US-06", "https://rest.iad-06.braze.com", "dashboard-06.braze.com"},
    {"US-07", "https://rest.iad-07.braze.com", "dashboard-07.braze.com"},
    {"US-08", "https://rest.iad-08.braze.com", "dashboard-08.braze.com"},
    {"US-10", "https://rest.us-10.braze.com", "dashboard.us-10.braze.com"},
    {"EU-01", "https://rest.fra-01.braze.eu", "dashboard-01.braze.eu"},
    {"EU-02", "https://rest.fra-02.braze.eu", "dashboard-02.braze.eu"},
    {"AU-01", "https://rest.au-01.braze.com", "dashboard.au-01.braze.com"},
    {"ID-01", "https://rest.id-01.braze.com", "dashboard.id-01.braze.com"},
    {"JP-01", "https://rest.jp-01.braze.com", "dashboard.jp-01.braze.com"},
    {"KR-01", "https://rest.kr-01.braze.com", "dashboard.kr-01.braze.com"},
};

#define INSTANCE_COUNT (sizeof instances / sizeof *instances)

const struct braze_instance *braze_instance_at(size_t index) {
  return index < INSTANCE_COUNT ? &instances[index] : NULL;
}
