"""vstager: zipped apps in, droplets out, over NATS (seed: 'DIY PaaS – staging an app')."""
