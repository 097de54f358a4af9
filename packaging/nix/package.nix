# nix-build -E 'with import <nixpkgs> {}; python3Packages.callPackage ./packaging/nix/package.nix {}'
{ lib, buildPythonApplication, hatchling, textual, psutil, plotext, prometheus-client, installShellFiles }:

buildPythonApplication {
  pname = "oomtop-monitor";
  version = "0.1.0";
  pyproject = true;
  src = lib.cleanSource ../..;

  build-system = [ hatchling ];
  dependencies = [ textual psutil plotext prometheus-client ];
  nativeBuildInputs = [ installShellFiles ];

  postInstall = ''
    $out/bin/oomtop man > oomtop.1
    installManPage oomtop.1
    installShellCompletion --cmd oomtop \
      --bash <($out/bin/oomtop completion bash) \
      --zsh <($out/bin/oomtop completion zsh) \
      --fish <($out/bin/oomtop completion fish)
    install -Dm644 packaging/systemd/*.service -t $out/lib/systemd/system
    substituteInPlace $out/lib/systemd/system/*.service --replace-fail /usr/bin/oomtop $out/bin/oomtop
  '';

  # The tests watch the machine they run on.
  doCheck = false;
  pythonImportsCheck = [ "oomtop" ];

  meta = {
    description = "Watch memory, foresee and explain OOM kills, act";
    homepage = "https://github.com/oomtop-monitor/oomtop-monitor";
    license = lib.licenses.mit;
    platforms = lib.platforms.linux;
    mainProgram = "oomtop";
  };
}
