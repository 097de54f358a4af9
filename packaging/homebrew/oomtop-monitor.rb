# brew install --formula oomtop-monitor.rb; `brew update-python-resources oomtop-monitor` writes the resources.
class OomtopMonitor < Formula
  include Language::Python::Virtualenv

  desc "Watch memory, foresee and explain OOM kills, act"
  homepage "https://github.com/oomtop-monitor/oomtop-monitor"
  url "https://github.com/oomtop-monitor/oomtop-monitor/releases/download/v0.1.0/oomtop_monitor-0.1.0.tar.gz"
  license "MIT"

  depends_on :linux
  depends_on "python@3.13"

  conflicts_with "oomtop", because: "both install a program named oomtop"

  def install
    virtualenv_install_with_resources
    (man1/"oomtop.1").write Utils.safe_popen_read(bin/"oomtop", "man")
    generate_completions_from_executable(bin/"oomtop", "completion")
  end

  test do
    assert_match "oomtop-monitor", shell_output("#{bin}/oomtop --version")
    assert_match "\"schema\": 1", shell_output("#{bin}/oomtop top --json --samples 1")
  end
end
