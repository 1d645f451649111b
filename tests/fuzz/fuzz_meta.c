/* meta.json: what is taken can be compared with itself, and does not differ. */
#include "harness/provenance.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *doc, *differences;
    char path[32];
    int fd = fuzz_file(data, size, path), rc = jrx_provenance_read(&doc, path);
    close(fd);
    if (rc) {
        fuzz_refused(rc);
        return 0;
    }
    const json_t *identity = json_object_get(doc, "identity");
    if (jrx_identity_compare(identity, identity, &differences) != 0)
        abort();
    json_decref(differences);
    json_decref(doc);
    return 0;
}
