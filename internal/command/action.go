package command

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tidegatehq/terraform-provider-tidegate/action"
)

// modeCommand is a mode of the Action on the command line.
func modeCommand(m action.Mode, version, short, long, example string) *cobra.Command {
	in := action.New(m)
	cmd := &cobra.Command{
		Use: string(m), Short: short, Long: long, Example: example,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := action.FromEnvironment(&in, os.Getenv); err != nil {
				return err
			}
			if err := in.Check(); err != nil {
				return err
			}
			dir, err := os.Getwd()
			if err != nil {
				return err
			}
			return runMode(cmd, in, dir, version)
		},
	}
	for _, i := range action.All() {
		if !i.In(m) || i.Secret || i.Where == action.OnlyGitHub {
			continue
		}
		cmd.Flags().AddFlag(&pflag.Flag{Name: i.Flag(), Usage: i.Usage, Value: &value{in: &in, input: i}, NoOptDefVal: i.Implied()})
	}
	return cmd
}

// value is an input as a flag.
type value struct {
	in    *action.Inputs
	input action.Input
	text  string
}

func (v *value) String() string { return v.text }

func (v *value) Set(text string) error {
	v.text = text
	return v.input.Set(v.in, text)
}

func (v *value) Type() string { return v.input.Kind() }

func runMode(cmd *cobra.Command, in action.Inputs, dir, version string) error {
	ctx, stop := interruptible(cmd.Context())
	defer stop()
	s := action.OnTerminal(cmd.OutOrStdout(), cmd.ErrOrStderr(), os.Getenv, os.Environ(), dir, version)
	return said(action.Run(ctx, s, in))
}

// said is an outcome as an error that was told already.
func said(out action.Outcome) error {
	return exit(out.Code(), nil)
}

// interruptible ends its context by the first signal. Later ones change nothing: Terraform is waited for, since it
// lets go of the state's lock only when it ends by itself.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
}

// newAction is what action.yml starts.
func newAction(version string) *cobra.Command {
	return &cobra.Command{
		Use:    "action",
		Short:  "Run a mode as a step of a GitHub workflow",
		Long:   "Run the mode that INPUT_MODE names, with the inputs and files of GitHub's runner. action.yml starts this.",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := interruptible(cmd.Context())
			if os.Getenv("INPUT_MODE") == string(action.ModePromote) {
				stop()
				ctx, stop = driving(cmd.Context())
			}
			defer stop()
			s := action.OnGitHub(cmd.OutOrStdout(), os.Getenv, os.Environ(), version)
			return said(action.Main(ctx, s))
		},
	}
}

// modeCommands are plan, apply and evaluate.
func modeCommands(version string) []*cobra.Command {
	return []*cobra.Command{
		modeCommand(action.ModePlan, version, "Plan root modules, and keep what can be reviewed",
			`Plan root modules with Terraform or OpenTofu: init, fmt -check, validate, plan. Prints counts, broken guards
and a fingerprint of the plan's structure, which --review writes into a file for "tidegate apply --reviewed".

The fingerprint is keyed by the environment's TIDEGATE_KEY, 16 bytes or more. Without a key it leaves sensitive
values out, since anybody could guess them from it. TIDEGATE_SECRETS, one a line, are scrubbed from what is printed.

Exit codes: 0 planned, 2 planned and there are changes (with --detailed-exitcode), 4 a guard forbids it, 1 failed,
130 interrupted.`,
			`  tidegate plan --root infra/prod --review plan.json
  tidegate plan --root 'infra/*' --protect 'module.db.*' --max-changes 20
  TIDEGATE_KEY=... tidegate plan --save plan.sealed`),
		modeCommand(action.ModeApply, version, "Apply what was reviewed, and nothing else",
			`Plan root modules afresh and apply those plans only if they have the structure of the ones that were reviewed:
every action, address and value, sensitive ones too with TIDEGATE_KEY. Otherwise say what differs, and apply nothing.

--verify saved applies the plan files that "tidegate plan --save" sealed with TIDEGATE_KEY; --verify none applies
whatever is planned now.

Exit codes: 0 applied, or nothing to apply; 4 refused, nothing was changed; 2 a rollout was rolled back; 1 failed;
130 interrupted.`,
			`  tidegate apply --root infra/prod --reviewed plan.json
  tidegate apply --verify saved --saved plan.sealed
  tidegate apply --verify none`),
		modeCommand(action.ModeEvaluate, version, "Hold a model's metrics against bounds and a reference",
			`Hold a file of metrics against least and greatest values and against a reference. The file is a JSON object
of numbers, flat or nested ("test.f1"), or a run of MLflow. What is missing or not a number never passes.

Exit codes: 0 all rules hold, 4 one does not, 1 one has no answer.`,
			`  tidegate evaluate --metrics metrics.json --min accuracy=0.92 --max latency_p95=0.2
  tidegate evaluate --metrics new.json --reference old.json --max-regression accuracy=-0.5%`),
	}
}
