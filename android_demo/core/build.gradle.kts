import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.kotlin.jvm)
}

java {
    sourceCompatibility = JavaVersion.VERSION_17
    targetCompatibility = JavaVersion.VERSION_17
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_17
    }
}

dependencies {
    testImplementation(libs.junit)
}

tasks.test {
    systemProperty("tasks", rootDir.resolve("../tests/tasks").path)
    systemProperty("assets", rootDir.resolve("app/src/main/assets").path)
    systemProperty("parity", rootDir.resolve("build/parity").path)
}
