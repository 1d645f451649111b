/* report.html: what is in it, that it needs nothing outside itself, and that a browser shows all of it. */
#include "experiments/report.h"
#include "harness/base/error.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"
#include <unistd.h>

/* What the page finds out about itself in a browser. It stands in a frame, as no window may be 400 pixels narrow, and
 * tells the page around it, which --dump-dom prints. */
static const char probe[] =
    "<script>const bad=[];onerror=m=>bad.push(m);addEventListener('load',()=>{\n"
    "const images=[...document.images];\n"
    "if(!images.length)bad.push('no figure');\n"
    "for(const i of images)if(!i.complete||!i.naturalWidth||i.getBoundingClientRect().height<50)bad.push('hidden "
    "'+i.alt);\n"
    "for(const e of performance.getEntriesByType('resource'))if(!e.name.startsWith('data:'))bad.push('request "
    "'+e.name);\n"
    "if(document.documentElement.scrollWidth>innerWidth)bad.push('wider than the window');\n"
    /* what a click on the head of a column leaves in it, and a second one */
    "const column=(t,i)=>{const h=t.tHead.rows[0].cells[i],now=()=>[...t.tBodies[0].rows].map(r=>r.cells[i].firstChild?"
    "r.cells[i].firstChild.textContent:'').join(' ');h.click();const up=now();h.click();return up+' | '+now()+' | '};\n"
    "const numbers=column(document.querySelector('details table'),1),claims=column(document.querySelector('h2+.cards "
    "thead').parentNode,3);\n"
    /* contrast of every text with what is behind it, as WCAG 2.1 has it (1.4.3: 4.5) */
    "const light=c=>c.match(/[\\d.]+/g).slice(0,3).map(v=>(v/=255)<=.03928?v/12.92:((v+.055)/1.055)**2.4)"
    ".reduce((s,v,i)=>s+v*[.2126,.7152,.0722][i],0),clear='rgba(0, 0, 0, 0)';\n"
    "for(const e of document.querySelectorAll('body *'))if([...e.childNodes].some(n=>n.nodeType==3&&n.data.trim())&&"
    "e.tagName!='SCRIPT'){let b=e;while(b!=document.documentElement&&getComputedStyle(b).backgroundColor==clear)"
    "b=b.parentNode;const [x,y]=[light(getComputedStyle(e).color),light(getComputedStyle(b).backgroundColor)]"
    ".sort((p,q)=>p-q);if((y+.05)/(x+.05)<4.5)bad.push('faint '+e.tagName+' '+e.textContent.slice(0,20))}\n"
    "parent.postMessage('probe '+innerWidth+(matchMedia('(prefers-color-scheme:dark)').matches?' dark: ':' light: ')+"
    "numbers+claims+(bad.join('; ')||'fine'),'*')})</script>\n";

static void make_run(char root[TREE_PATH])
{
    tree_new(root);
    tree_put(
        root,
        "meta.json={\"run_id\": \"id\", \"seed\": \"7\", \"preset\": \"quick\", \"identity\": {\"cpu\": \"<one>\"}, "
        "\"meter\": {\"name\": \"model\", \"source\": \"estimated\"}, \"warnings\": [{\"code\": \"governor\", "
        "\"text\": \"it is ondemand\", \"remedy\": \"set it\"}]}");
    tree_put(root,
             "doctor.json={\"machine\": {\"cpu\": \"<two>\", \"hypervisor\": \"\"}, \"meters\": [{\"meter\": "
             "\"powercap\", \"available\": false, \"reason\": \"no <driver>\"}], \"counters\": "
             "[{\"counters\": \"cachesim\", \"available\": true, \"source\": \"simulated\", \"about\": \"caches\", "
             "\"domains\": \"\"}]}");
    tree_put(
        root,
        "tiling/claims.csv=claim,statement,verdict,figure_ratio,figure_ci_lo_ratio,figure_ci_hi_ratio,source,note\n"
        "a,A.,supported,10,9,11,measured,n\nb,B.,refuted,9.5,,,measured,n\n"
        "c,C.,inconclusive,,,,measured,n\n");
    tree_put(root, "learning/summary.csv=network,step\na,1\n");
    tree_put(root, "learning/networks.csv=network,warmup_steps\nteacher,4321\n");
    tree_put(root, "tiling/summary.csv=cell,time_ms\n\"a,b\",10\nc,9.5\nd,\ne,100.123456789\n");
    tree_put(root, "tiling/tiling.svg=<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"960\" height=\"600\">"
                   "<rect width=\"960\" height=\"600\"/></svg>");
}

static char *read_all(const char *path)
{
    FILE *in = fopen(path, "re");
    assert_non_null(in);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, in) > 0);
    fclose(in);
    return text;
}

static void write_report(const char *root, char path[PATH_MAX])
{
    size_t count;
    const struct ex_experiment *const *all = ex_experiments(&count);
    assert_int_equal(ex_report_html(root, all, count, path, PATH_MAX), 0);
}

static void the_page_shows_what_the_run_left(void **state)
{
    (void)state;
    char root[TREE_PATH], path[PATH_MAX];
    make_run(root);
    write_report(root, path);
    char *text = read_all(path);
    assert_non_null(strstr(text, "<b>Energy: estimated</b>"));
    assert_non_null(strstr(text, "This machine has no energy meter"));
    assert_non_null(strstr(text, "&lt;one&gt;"));
    const char *sources = strstr(text, "What was measured by what"), *claims = strstr(text, "<h2>Claims");
    assert_non_null(sources);
    assert_true(claims > sources);
    assert_non_null(strstr(text, "&lt;two&gt;. What could be measured"));
    assert_non_null(strstr(text, "<td><code>powercap</code></td><td>unavailable</td><td>no &lt;driver&gt;</td>"));
    assert_non_null(strstr(text, "<td><code>cachesim</code></td><td>simulated</td><td>caches</td>"));
    assert_non_null(strstr(text, "<td class=n>4321</td>")); /* recipes of the networks */
    assert_non_null(strstr(text, "it is ondemand"));
    assert_non_null(strstr(text, "<td class=n>9.5</td>"));
    assert_non_null(strstr(text, "<td class=n>100.12</td>"));
    assert_non_null(strstr(text, "<td>a,b</td>"));
    assert_null(strstr(text, "<h2>Bit error")); /* experiments that the run has not are not mentioned */
    free(text);
    tree_free(root);
}

static void a_folder_that_is_no_run_is_refused(void **state)
{
    (void)state;
    char root[TREE_PATH], path[PATH_MAX], old[64];
    size_t count;
    const struct ex_experiment *const *all = ex_experiments(&count);
    assert_int_equal(ex_report_html("/nowhere", all, count, path, sizeof path), JRX_EIO);
    tree_new(root);
    tree_put(root, "meta.json={\"identity\": {}}");
    assert_int_equal(ex_report_figures(root, all, count, old, sizeof old), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "no <experiment>/summary.csv"));
    tree_free(root);
}

/* The tables of make_run() have hardly a column: nothing is drawn over the picture that is there. */
static void figures_of_an_earlier_version_stay_as_they_are(void **state)
{
    (void)state;
    char root[TREE_PATH], path[TREE_PATH + 32], old[64];
    size_t count;
    const struct ex_experiment *const *all = ex_experiments(&count);
    make_run(root);
    assert_int_equal(ex_report_figures(root, all, count, old, sizeof old), 0);
    assert_string_equal(old, " tiling learning");
    snprintf(path, sizeof path, "%s/tiling/tiling.svg", root);
    char *text = read_all(path);
    assert_non_null(strstr(text, "width=\"960\""));
    free(text);
    tree_free(root);
}

static void look(const char *root, int width, int dark)
{
    char command[2 * TREE_PATH + 320], line[4096], want[128];
    int found = 0;
    tree_put(root,
             "frame.html=<!doctype html><script>onmessage=e=>document.body.append(e.data)</script><body>"
             "<iframe src=report.html width=%d height=900 style='border:0'></iframe>",
             width);
    snprintf(want, sizeof want, "probe %d %s: 9.5 10 100.12  | 100.12 10 9.5  | 9.5 10  | 10 9.5  | fine", width,
             dark ? "dark" : "light");
    snprintf(
        command, sizeof command,
        "timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir=%s/profile --window-size=1700,1000 "
        "--blink-settings=preferredColorScheme=%d --dump-dom file://%s/frame.html 2>/dev/null",
        root, !dark, root);
    FILE *out = popen(command, "re");
    assert_non_null(out);
    while (fgets(line, sizeof line, out))
        if (strstr(line, "probe ")) {
            found = strstr(line, want) != NULL;
            if (!found)
                print_error("wanted '%s', the page says: %s\n", want, line);
        }
    pclose(out);
    assert_true(found);
}

static void a_browser_shows_it_without_error_or_request(void **state)
{
    (void)state;
    char root[TREE_PATH], path[PATH_MAX];
    if (access("/usr/bin/chromium", X_OK))
        skip_because("no chromium here");
    if (getenv("JOULERX_TEST_FAST"))
        skip_because("a browser is not what this tool looks into");
    make_run(root);
    write_report(root, path);
    FILE *page = fopen(path, "ae");
    assert_non_null(page);
    assert_true(fputs(probe, page) >= 0 && !fclose(page));
    for (int dark = 0; dark <= 1; dark++) {
        look(root, 400, dark);
        look(root, 1600, dark);
    }
    tree_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_shows_what_the_run_left),
        cmocka_unit_test(a_folder_that_is_no_run_is_refused),
        cmocka_unit_test(figures_of_an_earlier_version_stay_as_they_are),
        cmocka_unit_test(a_browser_shows_it_without_error_or_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
