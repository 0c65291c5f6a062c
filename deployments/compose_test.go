package deployments

import (
	"path/filepath"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// project is docker-compose.yml as Compose reads it.
func project(t *testing.T, env ...string) *types.Project {
	o, err := cli.NewProjectOptions([]string{"../docker-compose.yml"}, cli.WithEnv(env), cli.WithProfiles([]string{"job"}), cli.WithResolvedPaths(true))
	require.NoError(t, err)
	p, err := o.LoadProject(t.Context())
	require.NoError(t, err)
	return p
}

// TestComposeFile: Compose accepts the file, and every service runs without rights that it does not need.
func TestComposeFile(t *testing.T) {
	p := project(t, "EVALUATORS=3")
	require.ElementsMatch(t, []string{"nats", "coordinator", "evaluator"}, p.ServiceNames())
	for name, s := range p.Services {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, "assay:local", s.Image)
			require.Equal(t, "65532:65532", s.User)
			require.True(t, s.ReadOnly)
			require.Equal(t, []string{"ALL"}, s.CapDrop)
			require.Contains(t, s.SecurityOpt, "no-new-privileges:true")
			require.NotNil(t, s.HealthCheck)
			require.Equal(t, "CMD", s.HealthCheck.Test[0], "a shell is not there")
			require.NotNil(t, s.StopGracePeriod)
			require.Positive(t, s.MemLimit)
			require.NotNil(t, s.Environment["GOMEMLIMIT"])
			require.FileExists(t, filepath.Join(s.Build.Context, s.Build.Dockerfile))
			for _, port := range s.Ports {
				require.Equal(t, "127.0.0.1", port.HostIP)
			}
		})
	}
	require.Equal(t, 3, *p.Services["evaluator"].Deploy.Replicas)
	require.Len(t, p.Services["nats"].Ports, 1)
	require.Equal(t, 2, *project(t).Services["evaluator"].Deploy.Replicas)
	require.Equal(t, "1000:1000", project(t, "ASSAY_USER=1000:1000").Services["coordinator"].User)
}
