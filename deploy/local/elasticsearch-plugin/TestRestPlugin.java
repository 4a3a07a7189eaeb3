package local.esrest;

import java.io.IOException;
import java.util.*;
import java.util.function.*;

import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.email.UAX29URLEmailTokenizer;
import org.apache.lucene.analysis.miscellaneous.RemoveDuplicatesTokenFilter;
import org.apache.lucene.analysis.pattern.PatternCaptureGroupTokenFilter;
import org.elasticsearch.Build;
import org.elasticsearch.ResourceAlreadyExistsException;
import org.elasticsearch.action.*;
import org.elasticsearch.action.admin.indices.create.AutoCreateAction;
import org.elasticsearch.action.admin.indices.create.CreateIndexRequest;
import org.elasticsearch.action.datastreams.GetDataStreamAction;
import org.elasticsearch.action.support.master.AcknowledgedResponse;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.ClusterStateUpdateTask;
import org.elasticsearch.cluster.health.ClusterStateHealth;
import org.elasticsearch.cluster.metadata.*;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.regex.Regex;
import org.elasticsearch.common.settings.*;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.Index;
import org.elasticsearch.index.IndexNotFoundException;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.index.analysis.*;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.*;
import org.elasticsearch.rest.*;
import org.elasticsearch.rest.action.RestToXContentListener;
import org.elasticsearch.xcontent.NamedXContentRegistry;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * Test-only stand-ins for the REST endpoints whose modules (rest-root, data-streams) are not in the
 * integ-test-zip: GET|HEAD /, and PUT|GET|DELETE /_data_stream/{name}. All state is the server's own. ILM: Ilm, IlmRunner.
 * Also the three analysis pieces that the .security index's "email" analyzer names (module analysis-common):
 * without them no API key can be created when security is on.
 * Lines marked @8 / @9 are for that major version; build drops the others.
 */
public class TestRestPlugin extends Plugin implements ActionPlugin, AnalysisPlugin {
    private ClusterService cs;
    private Ilm ilm;

    @Override public Collection<?> createComponents(PluginServices s) {
        cs = s.clusterService();
        ilm = new Ilm(s);
        new IlmRunner(s);
        return List.of();
    }

    // ILM: see Ilm.java (settings, parsers, REST) and IlmRunner.java (runs the policies)
    @Override public List<Setting<?>> getSettings() { return Ilm.settings(); }
    @Override public List<NamedXContentRegistry.Entry> getNamedXContent() { return Ilm.xContent(); }
    @Override public Collection<ActionHandler<? extends ActionRequest, ? extends ActionResponse>> getActions() { return IlmGate.actions(); } //@8
    @Override public Collection<ActionHandler> getActions() { return IlmGate.actions(); } //@9

    @Override public Collection<RestHandler> getRestHandlers(Settings a, NamedWriteableRegistry b, RestController c, ClusterSettings d, IndexScopedSettings e, SettingsFilter f, IndexNameExpressionResolver g, Supplier<DiscoveryNodes> h, Predicate<NodeFeature> i) { //@8
    @Override public Collection<RestHandler> getRestHandlers(ActionPlugin.RestHandlersServices a, Supplier<DiscoveryNodes> h, Predicate<NodeFeature> i) { //@9
        List<RestHandler> out = new ArrayList<>(List.of(new Main(), new Put(), new Get(), new Delete()));
        out.addAll(ilm.handlers());
        return out;
    }

    private static Metadata md(ClusterState s) { return s.metadata(); } //@8
    private static ProjectMetadata md(ClusterState s) { return s.metadata().getProject(); } //@9

    @Override public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
        return Map.of("uax_url_email", (is, env, n, st) -> TokenizerFactory.newFactory(n, UAX29URLEmailTokenizer::new));
    }

    @Override public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of("pattern_capture", (is, env, n, st) -> filter(n, in -> new PatternCaptureGroupTokenFilter(in, st.getAsBoolean("preserve_original", true),
                st.getAsList("patterns").stream().map(java.util.regex.Pattern::compile).toArray(java.util.regex.Pattern[]::new))),
            "unique", (is, env, n, st) -> filter(n, RemoveDuplicatesTokenFilter::new));
    }

    private static TokenFilterFactory filter(String n, Function<TokenStream, TokenStream> f) {
        return new AbstractTokenFilterFactory(n, Settings.EMPTY) { @Override public TokenStream create(TokenStream in) { return f.apply(in); } }; //@8
        return new AbstractTokenFilterFactory(n) { @Override public TokenStream create(TokenStream in) { return f.apply(in); } }; //@9
    }

    private List<DataStream> match(String expr) {
        Map<String, DataStream> all = md(cs.state()).dataStreams();
        List<DataStream> out = new ArrayList<>();
        String[] names = expr == null || expr.isEmpty() || expr.equals("_all") ? new String[] { "*" } : Strings.splitStringByCommaToArray(expr);
        for (String n : names) {
            if (Regex.isSimpleMatchPattern(n)) {
                for (DataStream d : all.values()) if (Regex.simpleMatch(n, d.getName()) && out.contains(d) == false) out.add(d);
            } else if (all.get(n) == null) {
                throw new IndexNotFoundException(n);
            } else if (out.contains(all.get(n)) == false) out.add(all.get(n));
        }
        return out;
    }

    abstract static class H extends BaseRestHandler {
        private final List<Route> routes;
        H(Route... r) { routes = List.of(r); }
        @Override public String getName() { return "test_" + getClass().getSimpleName(); }
        @Override public List<Route> routes() { return routes; }
    }

    class Main extends H {
        Main() { super(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/")); }
        @Override protected RestChannelConsumer prepareRequest(RestRequest r, NodeClient c) {
            return ch -> {
                ClusterState st = cs.state();
                Build b = Build.current();
                XContentBuilder x = ch.newBuilder().prettyPrint().startObject()
                    .field("name", cs.getNodeName()).field("cluster_name", st.getClusterName().value())
                    .field("cluster_uuid", st.metadata().clusterUUID())
                    .startObject("version").field("number", b.version()).field("build_flavor", b.flavor())
                    .field("build_type", b.type().displayName()).field("build_hash", b.hash()).field("build_date", b.date())
                    .field("build_snapshot", b.isSnapshot()).field("lucene_version", IndexVersion.current().luceneVersion().toString())
                    .field("minimum_wire_compatibility_version", b.minWireCompatVersion())
                    .field("minimum_index_compatibility_version", b.minIndexCompatVersion()).endObject()
                    .field("tagline", "You Know, for Search").endObject();
                ch.sendResponse(new RestResponse(RestStatus.OK, x));
            };
        }
    }

    class Put extends H {
        Put() { super(new Route(RestRequest.Method.PUT, "/_data_stream/{name}")); }
        @Override protected RestChannelConsumer prepareRequest(RestRequest r, NodeClient c) {
            String n = r.param("name");
            return ch -> {
                var m = md(cs.state());
                if (m.dataStreams().containsKey(n)) throw new ResourceAlreadyExistsException("data_stream [{}] already exists", n);
                MetadataCreateDataStreamService.lookupTemplateForDataStream(n, m); // the server's own 400s
                c.execute(AutoCreateAction.INSTANCE, new CreateIndexRequest(n),
                    new RestToXContentListener<AcknowledgedResponse>(ch).delegateFailure((l, x) -> l.onResponse(AcknowledgedResponse.of(((AcknowledgedResponse) x).isAcknowledged()))));
            };
        }
    }

    class Get extends H {
        Get() { super(new Route(RestRequest.Method.GET, "/_data_stream"), new Route(RestRequest.Method.GET, "/_data_stream/{name}")); }
        @Override protected RestChannelConsumer prepareRequest(RestRequest r, NodeClient c) {
            String n = r.param("name");
            return ch -> {
                ClusterState st = cs.state();
                var m = md(st);
                List<GetDataStreamAction.Response.DataStreamInfo> out = new ArrayList<>();
                for (DataStream d : match(n)) {
                    String[] idx = d.getIndices().stream().map(Index::getName).toArray(String[]::new);
                    var health = new ClusterStateHealth(st, idx).getStatus(); //@8
                    var health = new ClusterStateHealth(st, idx, m.id()).getStatus(); //@9
                    String t = MetadataIndexTemplateService.findV2Template(m, d.getName(), false);
                    String ilm = t == null ? null : MetadataIndexTemplateService.resolveSettings(m, t).get(IndexMetadata.LIFECYCLE_NAME);
                    Map<Index, GetDataStreamAction.Response.IndexProperties> props = new HashMap<>();
                    for (Index i : d.getIndices()) {
                        String p = m.index(i).getLifecyclePolicyName();
                        props.put(i, new GetDataStreamAction.Response.IndexProperties(true, p,
                            p == null ? GetDataStreamAction.Response.ManagedBy.UNMANAGED : GetDataStreamAction.Response.ManagedBy.ILM, IndexSettings.MODE.get(m.index(i).getSettings()).getName()));
                    }
                    out.add(new GetDataStreamAction.Response.DataStreamInfo(d, false, health, t, ilm, null, props, true, null, null));
                }
                new RestToXContentListener<GetDataStreamAction.Response>(ch).onResponse(new GetDataStreamAction.Response(out));
            };
        }
    }

    class Delete extends H {
        Delete() { super(new Route(RestRequest.Method.DELETE, "/_data_stream/{name}")); }
        @Override protected RestChannelConsumer prepareRequest(RestRequest r, NodeClient c) {
            String n = r.param("name");
            return ch -> {
                match(n);
                ActionListener<AcknowledgedResponse> l = new RestToXContentListener<>(ch);
                cs.submitUnbatchedStateUpdateTask("remove-data-stream [" + n + "]", new ClusterStateUpdateTask(TimeValue.timeValueSeconds(30)) {
                    @Override public ClusterState execute(ClusterState st) {
                        Set<Index> idx = new HashSet<>();
                        var b = Metadata.builder(st.metadata()); //@8
                        var b = ProjectMetadata.builder(md(st)); //@9
                        for (DataStream d : match(n)) {
                            idx.addAll(d.getIndices());
                            b.removeDataStream(d.getName());
                        }
                        ClusterState s2 = ClusterState.builder(st).metadata(b).build(); //@8
                        ClusterState s2 = ClusterState.builder(st).putProjectMetadata(b).build(); //@9
                        return MetadataDeleteIndexService.deleteIndices(s2, idx, cs.getSettings()); //@8
                        return MetadataDeleteIndexService.deleteIndices(s2.projectState(md(st).id()), idx, cs.getSettings()); //@9
                    }
                    @Override public void clusterStateProcessed(ClusterState a, ClusterState b) { l.onResponse(AcknowledgedResponse.TRUE); }
                    @Override public void onFailure(Exception e) { l.onFailure(e); }
                });
            };
        }
    }
}
