"""Consul and etcd behind one interface (`base.Discovery`)."""
